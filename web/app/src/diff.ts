// diff.ts - what changed between two recorded steps of the same graph.
import type { Stats, Trace } from '@engine/protocol';

/** Which numbers are compared: gradients, parameters, or the values of every op (which change with the batch). */
export type DiffKind = 'grad' | 'param' | 'value';

export interface Change { tensor: number; amount: number }

export interface Diff {
  /** By tensor: |now - before| / |before|; from finite to NaN and back: infinite; NaN where there is nothing to compare. */
  amount: Float32Array;
  /** The largest first. */
  most: Change[];
}

/** Element by element where both are whole, else by what the statistics can tell. */
export function changeOf(now: Stats, before: Stats): number {
  if (now.nNan + now.nInf !== before.nNan + before.nInf) return Infinity;
  const size = Math.max(before.norm, 1e-30);
  if (now.elements && before.elements && now.elements.length === before.elements.length) {
    let sum = 0;
    for (let i = 0; i < now.elements.length; i++) {
      const d = now.elements[i]! - before.elements[i]!;
      if (Number.isFinite(d)) sum += d * d;
    }
    return before.norm > 0 ? Math.sqrt(sum) / size : sum > 0 ? Infinity : 0;
  }
  const d = Math.hypot(now.norm - before.norm, (now.mean - before.mean) * Math.sqrt(now.n), (now.std - before.std) * Math.sqrt(now.n));
  return before.norm > 0 ? d / size : d > 0 ? Infinity : 0;
}

const LISTED = 40;

export function diffOf(now: Trace, before: Trace, kind: DiffKind): Diff {
  const what = kind === 'grad' ? 'grad' : 'value';
  const diff: Diff = { amount: new Float32Array(now.tensors.length).fill(NaN), most: [] };
  now.tensors.forEach((tensor, t) => {
    const a = tensor[what], b = before.tensors[t]?.[what] ?? -1;
    if (a < 0 || b < 0 || (kind === 'param' && tensor.kind !== 'param')) return;
    const amount = changeOf(now.stats(a), before.stats(b));
    diff.amount[t] = amount;
    if (amount > 0) diff.most.push({ tensor: t, amount });
  });
  diff.most.sort((x, y) => y.amount - x.amount);
  diff.most.length = Math.min(LISTED, diff.most.length);
  return diff;
}
