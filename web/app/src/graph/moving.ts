// moving.ts - boxes on their way from one layout to the next when groups open or close.
import type { Box } from '@engine/protocol';
import { type Camera } from './camera';
import type { Rect } from './grid';
import type { Scene } from './scene';

/** What a box stands for, the same in both layouts: an open group is what the closed one was. */
const keyOf = (box: Box): string => (box.kind === 'node' || box.kind === 'tensor' ? `${box.kind}${box.id}` : `group${box.id}`);

export interface Move {
  from: Rect[];
  begin: number;
}

export const MOVE_MS = 280;
/** Larger drawings change at once. */
const MOST_BOXES = 600;

const middle = (r: Rect): Rect => ({ x: r.x + r.w * 0.25, y: r.y + r.h * 0.25, w: r.w * 0.5, h: r.h * 0.5 });

/** Where each box of `to` comes from: its own place before, else the closed group it was in. */
export function startMove(before: Scene, to: Scene, now: number): Move | null {
  if (to.layout.boxes.length > MOST_BOXES || before.layout.boxes.length > MOST_BOXES) return null;
  const places = new Map(before.layout.boxes.map((box) => [keyOf(box), box as Rect]));
  const from = to.layout.boxes.map((box): Rect => {
    const own = places.get(keyOf(box));
    if (own) return own;
    const within = box.kind === 'node' ? before.boxOfNode[box.id]! : box.kind === 'tensor' ? before.boxOfTensor[box.id]! : before.boxOfGroup[box.id]!;
    return within >= 0 ? middle(before.layout.boxes[within]!) : middle(box);
  });
  return { from, begin: now };
}

const ease = (share: number): number => 1 - (1 - share) ** 3;

export function rectAt(move: Move, to: Scene, i: number, share: number): Rect {
  const a = move.from[i]!, b = to.layout.boxes[i]!, s = ease(share);
  return { x: a.x + (b.x - a.x) * s, y: a.y + (b.y - a.y) * s, w: a.w + (b.w - a.w) * s, h: a.h + (b.h - a.h) * s };
}

/** The camera that keeps the group that opened or closed where it was on the screen. */
export function anchored(camera: Camera, before: Scene, to: Scene): Camera {
  const changed = to.layout.open.findIndex((open, g) => open !== before.layout.open[g]);
  const a = before.layout.boxes[before.boxOfGroup[changed] ?? -1], b = to.layout.boxes[to.boxOfGroup[changed] ?? -1];
  if (!a || !b) return camera;
  return { ...camera, x: camera.x + (b.x + b.w / 2 - a.x - a.w / 2), y: camera.y + (b.y - a.y) };
}
