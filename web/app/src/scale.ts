// scale.ts - what an edge says of its gradient: a width for the norm, a kind for the sign.

/** Below this a gradient counts as vanished. */
export const VANISHED = 1e-7;

/** Width of an edge for a gradient's norm, from 1 to 7: logarithmic from 1e-6 to 10. */
export function flowWidth(norm: number): number {
  const share = (Math.log10(Math.max(norm, 1e-12)) + 6) / 7;
  return 1 + 6 * Math.min(1, Math.max(0, share));
}

export type FlowSign = 'positive' | 'negative' | 'mixed' | 'vanished' | 'bad';

/** What an edge says of its gradient: mixed when the mean of n elements is nearer to 0 than chance would have it (one standard error). */
export function flowSign(norm: number, mean: number, n: number, bad: number): FlowSign {
  if (bad > 0 || !Number.isFinite(norm)) return 'bad';
  if (norm < VANISHED) return 'vanished';
  if (Math.abs(mean) * n < norm) return 'mixed';
  return mean > 0 ? 'positive' : 'negative';
}
