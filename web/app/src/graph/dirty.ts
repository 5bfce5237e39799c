// dirty.ts - what a change of time changes: the few parts of the drawing that have to be drawn again.
//
// Times are compared as moments.ts says: something has happened at time t when its moment is < t. So between two times exactly that changes
// whose moment is neither below both nor above.
import type { Rect } from './grid';
import { touches } from './grid';
import type { Scene } from './scene';

/** More parts than this are not worth telling apart. */
const MOST_PARTS = 48;

/** Boxes and wires that look different at the two times. */
function changed(scene: Scene, a: number, b: number): Rect[] {
  const from = Math.min(a, b), to = Math.max(a, b);
  const within = (moment: number): boolean => moment >= from && moment < to;
  /** The share that is filled of a gauge changes from its first moment to its last. */
  const during = (first: number, last: number): boolean => first < to && last >= from;
  const { layout, moments, tensor, runFirst, runLast, ruleFirst, ruleLast, wireGrid } = scene;
  const parts: Rect[] = layout.boxes.filter((_, i) =>
    during(runFirst[i]!, runLast[i]!) || during(ruleFirst[i]!, ruleLast[i]!) || (tensor[i]! >= 0 && within(moments.grad[tensor[i]!]!)));
  layout.wires.forEach((wire, i) => {
    if (within(moments.value[wire.tensor]!) || within(wire.input >= 0 ? moments.part[wire.input]! : moments.grad[wire.tensor]!)) parts.push(wireGrid.rects[i]!);
  });
  return parts;
}

const around = (a: Rect, b: Rect): Rect => {
  const x = Math.min(a.x, b.x), y = Math.min(a.y, b.y);
  return { x, y, w: Math.max(a.x + a.w, b.x + b.w) - x, h: Math.max(a.y + a.h, b.y + b.h) - y };
};

/** Rectangles, none of which touch, that hold all that changes between two times, and `room` around it; null: too much of the drawing. */
export function dirtyAreas(scene: Scene, a: number, b: number, room: number): Rect[] | null {
  const parts = changed(scene, a, b);
  if (parts.length > MOST_PARTS) return null;
  const areas: Rect[] = [];
  for (const part of parts) {
    let area = { x: part.x - room, y: part.y - room, w: part.w + 2 * room, h: part.h + 2 * room };
    for (let i; (i = areas.findIndex((other) => touches(area, other))) >= 0; ) area = around(area, areas.splice(i, 1)[0]!);
    areas.push(area);
  }
  return areas;
}
