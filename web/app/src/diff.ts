// diff.ts - what changed between two recorded steps of the same graph.
import type { Stats, Trace } from '@engine/protocol';

/** Relative change of one tensor's value or gradient: |now - before| / |before|; NaN-to-finite and back count as infinite. */
export interface Change { tensor: number; what: 'value' | 'grad'; amount: number }

export interface Diff {
  /** By tensor; NaN where there is nothing to compare. */
  value: Float32Array; grad: Float32Array;
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

export function diffOf(now: Trace, before: Trace): Diff {
  const n = now.tensors.length;
  const diff: Diff = { value: new Float32Array(n).fill(NaN), grad: new Float32Array(n).fill(NaN), most: [] };
  for (let t = 0; t < n; t++) {
    for (const what of ['value', 'grad'] as const) {
      const a = now.tensors[t]![what], b = before.tensors[t]?.[what] ?? -1;
      if (a < 0 || b < 0) continue;
      const amount = changeOf(now.stats(a), before.stats(b));
      diff[what][t] = amount;
      if (amount > 0) diff.most.push({ tensor: t, what, amount });
    }
  }
  diff.most.sort((a, b) => b.amount - a.amount);
  diff.most.length = Math.min(LISTED, diff.most.length);
  return diff;
}
