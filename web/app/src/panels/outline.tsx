// outline.tsx - panel: the graph as a tree, for eyes and for screen readers: groups, ops, parameters, with their values in words.
//
// Only the rows in sight are in the page; the tree itself has the focus and names its active row.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Trace } from '@engine/protocol';
import { goTo, hover, select } from '../actions';
import { call, statsWords, tensorName } from '../format';
import { formatShape } from '../lib/format';
import { lookAt } from '../graph/viewstate';
import { momentsOf } from '../moments';
import { around, keyOf, type Row, rowsOf } from '../outline';
import { type Ref, sameRef, useApp } from '../state';
import { Icon } from '../ui/icon';
import './outline.css';

const ROW_PX = 28;
/** Rows beyond the edges that are there all the same. */
const SPARE = 8;

function title(trace: Trace, ref: Ref): string {
  if (ref.kind === 'node') return call(trace, ref.id);
  if (ref.kind === 'tensor') return tensorName(trace, ref.id);
  const { name, nTwins, twin } = trace.groups[ref.id]!;
  return nTwins > 1 ? `${name}, round ${ref.id - twin + 1} of ${nTwins}` : name;
}

/** Shape, value and gradient as far as they are there at this time. */
function words(trace: Trace, ref: Ref, time: number): string {
  if (ref.kind === 'group') {
    const { first, last } = trace.groups[ref.id]!;
    return `${last - first} ${last - first === 1 ? 'op' : 'ops'}`;
  }
  const id = ref.kind === 'tensor' ? ref.id : trace.nodes[ref.id]!.firstOut;
  const tensor = trace.tensors[id];
  if (!tensor) return '';
  const m = momentsOf(trace);
  const value = m.value[id]! >= time ? 'not computed yet' : tensor.value >= 0 ? statsWords(trace.stats(tensor.value)) : '';
  const grad = m.grad[id]! < time && tensor.grad >= 0 ? `gradient: ${statsWords(trace.stats(tensor.grad))}` : '';
  return [formatShape(tensor.shape), value, grad].filter(Boolean).join('; ');
}

function TreeRow({ trace, row, top, time, active, selected, onToggle, onChoose }: {
  trace: Trace; row: Row; top: number; time: number; active: boolean; selected: boolean; onToggle: () => void; onChoose: () => void;
}) {
  const { ref, level } = row;
  return (
    <div role="treeitem" id={`outline-${keyOf(ref)}`} class={`tree-row is-${ref.kind}${active ? ' active' : ''}`} aria-level={level} aria-setsize={row.of} aria-posinset={row.at}
      aria-expanded={row.parent ? row.open : undefined} aria-selected={selected} style={{ top: `${top}px`, paddingLeft: `${8 + 14 * (level - 1)}px` }}
      onClick={onChoose} onDblClick={row.parent ? onToggle : undefined} onPointerEnter={() => hover(ref)} onPointerLeave={() => hover(null)}>
      {row.parent
        ? <span class={row.open ? 'twist open' : 'twist'} onClick={(e) => { e.stopPropagation(); onToggle(); }}><Icon name="chevron" size={12} /></span>
        : <span class="twist" />}
      <span class="tree-title">{title(trace, ref)}</span>
      <span class="tree-words">{words(trace, ref, time)}</span>
    </div>
  );
}

export function OutlinePanel() {
  const trace = useApp((s) => s.trace);
  return trace ? <Tree trace={trace} /> : <p class="quiet">No step is recorded yet.</p>;
}

function Tree({ trace }: { trace: Trace }) {
  const time = useApp((s) => s.time);
  const selection = useApp((s) => s.selection);
  const [open, setOpen] = useState<ReadonlySet<number>>(() => new Set(trace.groups.flatMap((g, i) => (g.parent < 0 && g.kind !== 'op' && trace.groups.length < 30 ? [i] : []))));
  const [active, setActive] = useState(0);
  const [sight, setSight] = useState({ top: 0, height: 600 });
  const box = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => rowsOf(trace, open), [trace.nodes.length, trace.groups.length, open]);
  const at = Math.min(active, rows.length - 1);

  const scroller = (): HTMLElement | null => box.current?.closest<HTMLElement>('.tabs-body') ?? null;
  const look = (): void => {
    const s = scroller();
    if (s) setSight({ top: s.scrollTop, height: s.clientHeight });
  };
  useEffect(() => {
    const s = scroller();
    look();
    s?.addEventListener('scroll', look, { passive: true });
    const size = new ResizeObserver(look);
    if (s) size.observe(s);
    return () => { s?.removeEventListener('scroll', look); size.disconnect(); };
  }, []);

  // What is selected elsewhere is opened and brought into sight here.
  useEffect(() => {
    if (!selection) return;
    const closed = around(trace, selection).filter((g) => !open.has(g));
    if (closed.length) { setOpen(new Set([...open, ...closed])); return; }
    const i = rows.findIndex((r) => sameRef(r.ref, selection));
    if (i >= 0 && i !== at) show(i);
  }, [selection, rows]);

  const show = (i: number): void => {
    setActive(i);
    const s = scroller();
    if (!s) return;
    if (i * ROW_PX < s.scrollTop) s.scrollTop = i * ROW_PX;
    else if ((i + 1) * ROW_PX > s.scrollTop + s.clientHeight - 16) s.scrollTop = (i + 1) * ROW_PX - s.clientHeight + 16;
  };
  const toggle = (group: number): void => {
    const next = new Set(open);
    if (!next.delete(group)) next.add(group);
    setOpen(next);
  };
  const choose = (i: number): void => { show(i); select(rows[i]!.ref); };
  const onKeyDown = (e: KeyboardEvent): void => {
    const row = rows[at];
    if (!row) return;
    const page = Math.max(1, Math.floor(sight.height / ROW_PX) - 1);
    const to: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1, PageDown: at + page, PageUp: at - page };
    if (e.key in to) show(Math.max(0, Math.min(rows.length - 1, to[e.key]!)));
    else if (e.key === 'ArrowRight' && row.parent) { if (row.open) show(at + 1); else toggle(row.ref.id); }
    else if (e.key === 'ArrowLeft') {
      if (row.open) toggle(row.ref.id);
      else show(Math.max(0, rows.findLastIndex((r, i) => i < at && r.level < row.level)));
    } else if (e.key === 'Enter' || e.key === ' ') void goTo(row.ref).then(() => lookAt(row.ref));
    else return;
    e.preventDefault();
  };

  const first = Math.max(0, Math.floor(sight.top / ROW_PX) - SPARE), last = Math.min(rows.length, Math.ceil((sight.top + sight.height) / ROW_PX) + SPARE);
  const shown = [...new Set([...Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i), at])].sort((a, b) => a - b);
  return (
    <div ref={box} class="tree" role="tree" tabIndex={0} aria-label="Groups and ops of the model" aria-activedescendant={rows[at] ? `outline-${keyOf(rows[at].ref)}` : undefined}
      style={{ height: `${rows.length * ROW_PX}px` }} onKeyDown={onKeyDown} data-testid="outline">
      {shown.map((i) => rows[i] && (
        <TreeRow key={keyOf(rows[i].ref)} trace={trace} row={rows[i]} top={i * ROW_PX} time={time} active={i === at} selected={sameRef(rows[i].ref, selection)}
          onToggle={() => toggle(rows[i]!.ref.id)} onChoose={() => choose(i)} />
      ))}
    </div>
  );
}
