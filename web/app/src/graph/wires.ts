// wires.ts - draws the edges: those of one style as one path, so that thousands cost a handful of strokes.
import type { FlowSign } from '../scale';
import { type Camera, visible } from './camera';
import { wireFlow } from './flow';
import { outside, type Paint } from './paint';

interface Style { colour: string; width: number; dash: number[]; alpha: number }

/** Below this zoom edges are straight hairlines. */
const PLAIN_ZOOM = 0.22;

export const flowDash: Record<FlowSign, number[]> = { positive: [], negative: [7, 4], mixed: [], vanished: [], bad: [3, 3] };

/** Appends the smooth line through a wire's points, on the screen. */
export function addWire(path: Path2D, points: Float32Array, c: Camera, right: boolean): void {
  const x = (i: number): number => (points[2 * i]! - c.x) * c.z, y = (i: number): number => (points[2 * i + 1]! - c.y) * c.z;
  const n = points.length / 2;
  path.moveTo(x(0), y(0));
  for (let i = 1; i < n; i++) {
    const x0 = x(i - 1), y0 = y(i - 1), x1 = x(i), y1 = y(i);
    if (c.z < PLAIN_ZOOM || Math.abs(x1 - x0) < 0.5 || Math.abs(y1 - y0) < 0.5) path.lineTo(x1, y1);
    else if (right) path.bezierCurveTo((x0 + x1) / 2, y0, (x0 + x1) / 2, y1, x1, y1);
    else path.bezierCurveTo(x0, (y0 + y1) / 2, x1, (y0 + y1) / 2, x1, y1);
  }
}

/** A triangle where the wire ends. */
function addHead(path: Path2D, points: Float32Array, c: Camera, right: boolean): void {
  const n = points.length;
  // Parameters stand beside the op that reads them: their wires come across the flow.
  const across = n === 4 && (right ? points[0] === points[2] : points[1] === points[3]);
  const x = (points[n - 2]! - c.x) * c.z, y = (points[n - 1]! - c.y) * c.z;
  const s = Math.min(6, 5 * c.z);
  path.moveTo(x, y);
  if (right !== across) { path.lineTo(x - s * 1.3, y - s * 0.65); path.lineTo(x - s * 1.3, y + s * 0.65); }
  else { path.lineTo(x - s * 0.65, y - s * 1.3); path.lineTo(x + s * 0.65, y - s * 1.3); }
  path.closePath();
}

function styleOf(p: Paint, i: number): Style {
  const { scene, palette: { css }, time, camera } = p;
  const wire = scene.layout.wires[i]!;
  const { moments } = scene;
  const thin = Math.max(0.7, Math.min(1.4, 1.2 * camera.z));
  const dim = outside(p, wire.from) || outside(p, wire.to);
  const style = (colour: string, width: number, dash: number[] = [], alpha = 1): Style => ({ colour, width, dash, alpha: dim ? 0.12 : alpha });
  const carried = (wire.input >= 0 ? moments.part[wire.input]! : moments.grad[wire.tensor]!) < time;
  if (p.flow && carried) {
    const flow = wireFlow(scene.trace, wire);
    if (flow) {
      const colours: Record<FlowSign, string> = { positive: css.positive, negative: css.negative, mixed: css.backward, vanished: css['line-2'], bad: css.bad };
      const width = flow.sign === 'vanished' ? 0.8 : flow.sign === 'bad' ? 4 : Math.round(flow.width * 2) / 2;
      return style(colours[flow.sign], width * Math.max(0.35, Math.min(1, camera.z)), camera.z < PLAIN_ZOOM ? [] : flowDash[flow.sign], 0.85);
    }
  }
  if (moments.value[wire.tensor]! >= time) return style(css.line, thin);
  if (carried && !p.flow) return style(css.backward, thin * 1.15, [], 0.75);
  return style(css['ink-3'], thin, [], p.flow ? 0.35 : 0.7);
}

export function drawWires(p: Paint): void {
  const { scene, camera, context } = p;
  const heads = camera.z > 0.45;
  const byStyle = new Map<string, { style: Style; lines: Path2D; heads: Path2D }>();
  for (const i of scene.wireGrid.query(visible(camera, p.view))) {
    const style = styleOf(p, i);
    const key = `${style.colour}|${style.width}|${style.dash}|${style.alpha}`;
    let group = byStyle.get(key);
    if (!group) byStyle.set(key, (group = { style, lines: new Path2D(), heads: new Path2D() }));
    const { points } = scene.layout.wires[i]!;
    addWire(group.lines, points, camera, p.right);
    if (heads) addHead(group.heads, points, camera, p.right);
  }
  const fade = p.moving ? Math.max(0, 2 * p.moving.share - 1) : 1;
  // Faint ones first, so that what has happened lies on top.
  for (const { style, lines, heads: ends } of [...byStyle.values()].sort((a, b) => a.style.alpha - b.style.alpha)) {
    context.globalAlpha = style.alpha * fade;
    context.strokeStyle = context.fillStyle = style.colour;
    context.lineWidth = style.width;
    context.setLineDash(style.dash);
    context.stroke(lines);
    if (heads) context.fill(ends);
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** The edge within `slack` px of a point of the screen; -1. */
export function hitWire(p: Pick<Paint, 'scene' | 'camera' | 'right'>, context: CanvasRenderingContext2D, x: number, y: number, slack: number): number {
  const { scene, camera, right } = p;
  const area = { x: (x - slack) / camera.z + camera.x, y: (y - slack) / camera.z + camera.y, w: (2 * slack) / camera.z, h: (2 * slack) / camera.z };
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.lineWidth = 2 * slack;
  const found = scene.wireGrid.query(area).findLast((i) => {
    const path = new Path2D();
    addWire(path, scene.layout.wires[i]!.points, camera, right);
    return context.isPointInStroke(path, x, y);
  });
  context.restore();
  return found ?? -1;
}
