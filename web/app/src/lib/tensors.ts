// tensors.ts - the tensors that belong to what is selected, and their numbers: from the record, or whole from the engine while it is live.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Stats, Trace } from '@engine/protocol';
import { getEngine } from '../engine';
import { createStore, useStore } from '../store';
import { type Ref, useApp } from '../state';
import { elementGrid, type Grid, isExact, statsGrid } from './grid';

/** The element that is looked at: chosen in a heatmap, explained in the formula panel. */
interface Focus { tensor: number; element: number }
export const focus = createStore<Focus>({ tensor: -1, element: 0 });
export const useFocus = (): Focus => useStore(focus, (f) => f);

export interface Role { tensor: number; role: string }

/** A node's outputs and inputs; a tensor itself; a group's last output. */
export function tensorsOf(trace: Trace, ref: Ref | null): Role[] {
  if (!ref) return [];
  if (ref.kind === 'tensor') return trace.tensors[ref.id] ? [{ tensor: ref.id, role: trace.tensors[ref.id]!.kind }] : [];
  const id = ref.kind === 'group' ? (trace.groups[ref.id]?.last ?? 0) - 1 : ref.id;
  const node = trace.nodes[id];
  if (!node) return [];
  const many = (n: number, word: string, i: number): string => (n > 1 ? `${word} ${i + 1}` : word);
  const outputs = Array.from({ length: node.nOut }, (_, i) => ({ tensor: node.firstOut + i, role: many(node.nOut, 'output', i) }));
  const inputs = Array.from({ length: node.nIn }, (_, i) => ({ tensor: trace.inputs[node.input + i]!.tensor, role: many(node.nIn, 'input', i) }));
  return [...outputs, ...inputs.filter((r) => r.tensor >= 0)];
}

export type Which = 'value' | 'grad' | 'after';
export interface Slice { stats: Stats; grid: Grid | null }

/** Slices up to so many elements are fetched whole. */
const MOST_ELEMENTS = 1 << 20;
const sliceSize = (shape: readonly number[]): number => shape.slice(-2).reduce((a, b) => a * b, 1);

/** Statistics and cells of one slice of a tensor's value, gradient, or value after the optimizer's step. Null: it has none. */
export function useSlice(trace: Trace | null, tensor: number, which: Which, lead: readonly number[]): Slice | null {
  const live = useApp((s) => s.frames[s.frame]?.live ?? false);
  const t = trace?.tensors[tensor];
  const record = t ? { value: t.value, grad: t.grad, after: t.after }[which] : -1;
  const stats = useMemo(() => (trace && record >= 0 ? trace.stats(record) : null), [trace, record]);
  const place = lead.join();
  const kept = useMemo(() => (stats && t ? statsGrid(stats, t.shape, lead) : null), [stats, t, place]);
  const [fetched, setFetched] = useState<{ key: object | null; place: string; grid: Grid } | null>(null);
  const asked = useRef<Stats | null>(null);
  useEffect(() => {
    if (!stats || !t || !live || which === 'after' || (kept && isExact(kept)) || sliceSize(t.shape) > MOST_ELEMENTS) return;
    asked.current = stats;
    const [cols = 1, rows = 1] = [...t.shape].reverse();
    void (async () => {
      try {
        const { engine } = await getEngine();
        const w = await engine.call('window', { tensor, grad: which === 'grad', index: [...lead], row: 0, col: 0, rows, cols });
        if (asked.current === stats) setFetched({ key: stats, place, grid: elementGrid(t.shape, w.values, lead) });
      } catch {
        // The record was replaced meanwhile: the next one is asked for.
      }
    })();
  }, [stats, live, place, which]);
  if (!stats) return null;
  // While training, the elements of a moment ago are better than the thumbnail of now.
  const whole = fetched && fetched.place === place && (live || fetched.key === stats) && !(kept && isExact(kept));
  return { stats, grid: whole ? fetched.grid : kept };
}
