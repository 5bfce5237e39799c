// tip.tsx - beside the pointer: what the hovered box is, its shape and the statistics of what it made so far.
import { call, tensorName } from '../format';
import { formatCount, formatNumber, formatShape } from '../lib/format';
import { momentsOf } from '../moments';
import { app, type Ref, useApp } from '../state';
import { useStore } from '../store';
import { toScreen } from './camera';
import { wireFlow } from './flow';
import { boxOf, type Scene } from './scene';
import { viewState } from './viewstate';

interface Line { name: string; text: string; bad?: boolean }

function statsLine(name: string, index: number): Line | null {
  const { trace } = app.get();
  if (!trace || index < 0) return null;
  const s = trace.stats(index);
  const bad = s.nNan + s.nInf;
  if (bad) return { name, text: `${formatCount(bad)} of ${formatCount(s.n)} not finite`, bad: true };
  return { name, text: s.n === 1 ? formatNumber(s.mean) : `${formatNumber(s.mean)} ± ${formatNumber(s.std)}  [${formatNumber(s.min)}, ${formatNumber(s.max)}]` };
}

/** Title and lines about a thing at this time. */
export function describe(ref: Ref, time: number): { title: string; lines: Line[] } {
  const trace = app.get().trace!;
  const m = momentsOf(trace);
  const present = (line: Line | null): Line[] => (line ? [line] : []);
  if (ref.kind === 'group') {
    const g = trace.groups[ref.id]!;
    const lines = [{ name: 'ops', text: formatCount(g.last - g.first) }];
    return { title: g.nTwins > 1 ? `${g.name} ×${g.nTwins}` : g.name, lines: g.nTwins > 1 ? [...lines, { name: 'rounds', text: formatCount(g.nTwins) }] : lines };
  }
  const id = ref.kind === 'tensor' ? ref.id : trace.nodes[ref.id]!.firstOut;
  const tensor = trace.tensors[id];
  const title = ref.kind === 'node' ? call(trace, ref.id) : tensorName(trace, id);
  if (!tensor) return { title, lines: [] };
  const lines: Line[] = [{ name: 'shape', text: `${formatShape(tensor.shape)}  ${tensor.dtype}` }];
  if (m.value[id]! < time) lines.push(...present(statsLine('value', tensor.value)));
  else lines.push({ name: 'value', text: 'not computed yet' });
  if (m.grad[id]! < time) lines.push(...present(statsLine('gradient', tensor.grad)));
  return { title, lines };
}

/** What the gradient on an edge is. */
function describeWire(scene: Scene, index: number): { title: string; lines: Line[] } {
  const { trace, layout } = scene;
  const wire = layout.wires[index]!;
  const title = `gradient of ${tensorName(trace, wire.tensor)}`;
  const flow = wireFlow(trace, wire);
  if (!flow) return { title, lines: [{ name: '', text: 'none: nothing here needs one' }] };
  const lines = [{ name: 'norm', text: formatNumber(flow.norm) }, { name: 'mean', text: formatNumber(flow.mean), bad: flow.sign === 'bad' }];
  return { title, lines: flow.sign === 'vanished' ? [...lines, { name: '', text: 'vanished', bad: true }] : lines };
}

/** A card beside something at (left, top) that is `width` wide. */
function Tip({ at, title, lines }: { at: { x: number; y: number; w: number }; title: string; lines: Line[] }) {
  const { size } = viewState.get();
  const left = at.x + at.w + 292 < size.w ? at.x + at.w + 12 : Math.max(8, at.x - 292);
  const top = Math.max(8, Math.min(size.h - 48 - 20 * lines.length, at.y));
  return (
    <div class="card hover-tip" style={{ left: `${left}px`, top: `${top}px` }} aria-hidden="true">
      <p class="hover-title">{title}</p>
      <dl class="tip-facts">{lines.map((l) => <div key={l.name}><dt>{l.name}</dt><dd class={l.bad ? 'bad' : ''}>{l.text}</dd></div>)}</dl>
    </div>
  );
}

export function HoverTip() {
  const wire = useStore(viewState, (v) => v.wire);
  const hover = useApp((s) => s.hover);
  const time = useApp((s) => s.time);
  const trace = useApp((s) => s.trace);
  const camera = useStore(viewState, (v) => v.camera);
  const { scene } = viewState.get();
  if (!trace || !scene) return null;
  if (wire && wire.index < scene.layout.wires.length) return <Tip at={{ x: wire.x, y: wire.y, w: 4 }} {...describeWire(scene, wire.index)} />;
  const box = boxOf(scene, hover);
  if (!hover || box < 0) return null;
  return <Tip at={toScreen(camera, scene.layout.boxes[box]!)} {...describe(hover, time)} />;
}
