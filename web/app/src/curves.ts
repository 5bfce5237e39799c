// curves.ts - the training's curves: columns that grow, thinned by halves once they are long, so that memory and drawing stay bounded.
//
// The columns are changed in place: whoever shows them looks at `version` (state.curvesVersion) to know that there is more.
// Invariant: every column holds `length` numbers; `step` is increasing.
import type { Steps } from '@engine/protocol';

/** Rows that are kept; when there are more, every second one is dropped. */
export const MOST_ROWS = 20_000;

export interface Curves {
  length: number;
  step: Float64Array; loss: Float64Array; gradNorm: Float64Array; lr: Float64Array;
  metrics: Float64Array[];
  /** Every `stride`-th step is kept. */
  stride: number;
  /** |step| / |W| of each parameter at the last step that told. */
  ratios: Float64Array;
}

export function emptyCurves(nMetrics: number): Curves {
  const column = (): Float64Array => new Float64Array(256);
  return {
    length: 0, step: column(), loss: column(), gradNorm: column(), lr: column(),
    metrics: Array.from({ length: nMetrics }, column), stride: 1, ratios: new Float64Array(0),
  };
}

const columnsOf = (c: Curves): Float64Array[] => [c.step, c.loss, c.gradNorm, c.lr, ...c.metrics];

function setColumns(c: Curves, columns: Float64Array[]): void {
  const [step, loss, gradNorm, lr, ...metrics] = columns;
  Object.assign(c, { step, loss, gradNorm, lr, metrics });
}

function grow(c: Curves): void {
  setColumns(c, columnsOf(c).map((old) => {
    const wider = new Float64Array(old.length * 2);
    wider.set(old);
    return wider;
  }));
}

function thin(c: Curves): void {
  const kept = c.length >> 1;
  for (const column of columnsOf(c)) for (let i = 0; i < kept; i++) column[i] = column[2 * i + 1]!;
  c.length = kept;
  c.stride *= 2;
}

/** Appends what the engine told. */
export function appendSteps(c: Curves, s: Steps): void {
  const from = [s.step, s.loss, s.gradNorm, s.lr, ...s.metrics];
  for (let i = 0; i < s.step.length; i++) {
    if (s.step[i]! % c.stride !== 0) continue;
    if (c.length === MOST_ROWS) thin(c);
    if (c.length === c.step.length) grow(c);
    columnsOf(c).forEach((column, k) => { column[c.length] = from[k]?.[i] ?? NaN; });
    c.length++;
  }
  if (s.ratios.length) c.ratios = s.ratios;
}
