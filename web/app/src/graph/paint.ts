// paint.ts - what every part of the drawing needs to draw itself.
import type { Diff } from '../diff';
import type { Lineage } from '../lineage';
import type { Camera, Size } from './camera';
import type { Rect } from './grid';
import type { Palette } from './palette';
import type { Scene } from './scene';

export interface Paint {
  context: CanvasRenderingContext2D;
  scene: Scene; camera: Camera; view: Size; palette: Palette;
  time: number;
  /** Edges show gradients. */
  flow: boolean;
  right: boolean;
  diff: Diff | null;
  lineage: Lineage | null;
  /** While boxes move: where box i is now and how far the movement is (0 to 1); null: where the layout has it. */
  moving: { rect(i: number): Rect; share: number } | null;
}

export const rectOf = (p: Paint, i: number): Rect => p.moving?.rect(i) ?? p.scene.layout.boxes[i]!;

/** Whether box i is one that the lineage dims. */
export function outside(p: Paint, i: number): boolean {
  if (!p.lineage) return false;
  const { kind, id } = p.scene.layout.boxes[i]!;
  if (kind === 'node') return !p.lineage.nodes[id];
  if (kind === 'tensor') return !p.lineage.tensors[id];
  const { first, last } = p.scene.trace.groups[id]!;
  return !p.lineage.nodes.subarray(first, last).includes(1);
}

/** A rounded rectangle in the current path. */
export function roundRect(c: CanvasRenderingContext2D | Path2D, r: Rect, radius: number): void {
  c.roundRect(r.x, r.y, r.w, r.h, Math.max(0, Math.min(radius, r.w / 2, r.h / 2)));
}
