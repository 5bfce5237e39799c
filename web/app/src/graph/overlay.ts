// overlay.ts - what lies over the cached drawing and changes often: the op that runs, what flows just now, selection and hover.
import type { TraceEvent } from '@engine/protocol';
import { type Phase, phaseAt } from '../moments';
import type { Ref } from '../state';
import { toScreen } from './camera';
import { type Paint, rectOf, roundRect } from './paint';
import { boxOf } from './scene';
import { addWire } from './wires';

export interface Overlay { selection: Ref | null; hover: Ref | null; found: readonly Ref[]; phase: number }

function ring(p: Paint, box: number, colour: string, width: number, distance: number, dash: number[] = []): void {
  if (box < 0) return;
  const { context: c, camera, scene } = p;
  const r = toScreen(camera, rectOf(p, box));
  c.beginPath();
  roundRect(c, { x: r.x - distance, y: r.y - distance, w: r.w + 2 * distance, h: r.h + 2 * distance }, scene.layout.boxes[box]!.kind === 'tensor' ? 999 : 7 + distance);
  c.strokeStyle = colour;
  c.lineWidth = width;
  c.setLineDash(dash);
  c.stroke();
  c.setLineDash([]);
}

/** A ring that glows: three of them, wider and fainter (a shadow would cost far more). */
function glow(p: Paint, box: number, colour: string): void {
  const { context: c } = p;
  for (const [width, alpha] of [[13, 0.1], [8, 0.18], [3, 1]] as const) {
    c.globalAlpha = alpha;
    ring(p, box, colour, width, 2);
  }
  c.globalAlpha = 1;
}

/** Wires on which something flows in this event: into the op that runs, or back to the operand whose gradient comes. */
function flowing(p: Paint, event: TraceEvent): number[] {
  const { scene } = p;
  if (event.kind !== 'forward' && event.kind !== 'rule') return [];
  const into = scene.into[scene.boxOfNode[event.node] ?? -1] ?? [];
  const { input, nIn } = scene.trace.nodes[event.node]!;
  const tensors = event.kind === 'rule'
    ? [scene.trace.inputs[event.input]?.tensor]
    : scene.trace.inputs.slice(input, input + nIn).map((i) => i.tensor);
  return into.filter((w) => {
    const wire = scene.layout.wires[w]!;
    return event.kind === 'rule' && wire.input >= 0 ? wire.input === event.input : tensors.includes(wire.tensor);
  });
}

/** What happens at time t is event t - 1: its op glows, its edges move in the direction of flow. */
function drawEvent(p: Paint, phase: number): void {
  const { scene, context: c, palette: { css }, time } = p;
  const event = scene.trace.events[time - 1];
  if (!event) return;
  const colours: Record<Phase, string> = { forward: css.forward, backward: css.backward, optim: css.optim };
  const colour = colours[phaseAt(scene.moments, time - 1)];
  const path = new Path2D();
  for (const w of flowing(p, event)) addWire(path, scene.layout.wires[w]!.points, p.camera, p.right);
  c.strokeStyle = colour;
  c.lineWidth = Math.max(1.5, Math.min(3, 2.6 * p.camera.z));
  c.globalAlpha = 0.35;
  c.stroke(path);
  c.globalAlpha = 1;
  c.setLineDash([8, 8]);
  c.lineDashOffset = (event.kind === 'rule' ? 1 : -1) * phase;
  c.stroke(path);
  c.setLineDash([]);
  if (event.kind === 'step') {
    scene.layout.boxes.forEach((box, i) => {
      if (box.kind === 'tensor' && scene.trace.tensors[box.id]!.kind === 'param') glow(p, i, colour);
    });
  } else {
    glow(p, event.node >= 0 ? scene.boxOfNode[event.node]! : scene.boxOfTensor[event.tensor] ?? -1, colour);
  }
}

/** The edges of a box: what it reads and who reads it. */
function drawEdges(p: Paint, box: number, colour: string): void {
  if (box < 0 || p.scene.layout.boxes[box]!.kind === 'frame') return;
  const path = new Path2D();
  for (const w of [...p.scene.into[box]!, ...p.scene.outOf[box]!]) addWire(path, p.scene.layout.wires[w]!.points, p.camera, p.right);
  p.context.strokeStyle = colour;
  p.context.lineWidth = 2;
  p.context.globalAlpha = 0.8;
  p.context.stroke(path);
  p.context.globalAlpha = 1;
}

export function drawOverlay(p: Paint, o: Overlay): void {
  const { palette: { css }, scene } = p;
  if (p.time > 0 && p.time < scene.moments.length) drawEvent(p, o.phase);
  for (const ref of o.found) ring(p, boxOf(scene, ref), css.focus, 2, 3, [4, 3]);
  if (!p.flow) {
    drawEdges(p, boxOf(scene, o.hover), css['ink-2']);
    drawEdges(p, boxOf(scene, o.selection), css.accent);
  }
  ring(p, boxOf(scene, o.hover), css['ink-2'], 1.5, 0);
  ring(p, boxOf(scene, o.selection), css.accent, 2.5, 3);
}
