// element.ts - the numbers around one element of a node's output: its operands, its value, the gradient that comes in and those that go out.
import type { Trace, TraceTensor } from '@engine/protocol';
import { getEngine } from '../engine';
import { ravel, unravel } from './grid';
import type { Numbers } from './calculate';
import type { FormulaRow, OpTexts } from '../../formulas/texts';

export interface Operand { tensor: number; name: string; value: number; /** What this node's rule gave it, at this element. */ grad: number; stretched: boolean }
export interface Around { index: number[]; value: number; incoming: number; operands: Operand[] }

/** The element of a tensor that is broadcast to `shape`. Null when it is not. */
export function broadcastIndex(own: readonly number[], shape: readonly number[], index: readonly number[]): number[] | null {
  if (own.length > shape.length) return null;
  const from = shape.length - own.length;
  if (own.some((dim, d) => dim !== 1 && dim !== shape[from + d])) return null;
  return own.map((dim, d) => (dim === 1 ? 0 : index[from + d]!));
}

export const isElementwise = (trace: Trace, node: number): boolean => {
  const n = trace.nodes[node]!;
  const out = trace.tensors[n.firstOut]!.shape;
  return Array.from({ length: n.nIn }, (_, i) => trace.inputs[n.input + i]!.tensor)
    .every((t) => t < 0 || broadcastIndex(trace.tensors[t]!.shape, out, out.map(() => 0)) !== null);
};

/** One number of a record: kept, or asked of the engine while the record is live. NaN when it is not to be had. */
type Read = (tensor: number, what: 'value' | 'grad' | { part: number }, index: number[]) => Promise<number>;

export function reader(trace: Trace, live: boolean): Read {
  return async (tensor, what, index) => {
    const t = trace.tensors[tensor]!;
    const record = what === 'value' ? t.value : what === 'grad' ? t.grad : trace.inputs[what.part]!.grad;
    if (record < 0) return NaN;
    const { elements } = trace.stats(record);
    if (elements) return elements[ravel(t.shape, index)] ?? NaN;
    if (!live) return NaN;
    const { engine } = await getEngine();
    const part = typeof what === 'object' ? { part: what.part } : { grad: what === 'grad' };
    const [col = 0, row = 0] = [...index].reverse();
    const w = await engine.call('window', { tensor, ...part, index: index.slice(0, -2), row, col, rows: 1, cols: 1 });
    return w.values[0] ?? NaN;
  };
}

/** Operands are named by the derivatives that the formula has: dx, dy -> x, y. */
export function operandNames(rows: FormulaRow[] | undefined): string[] {
  return (rows ?? []).filter((r) => r.back && r.computed && /^d[A-Za-z]/.test(r.computed.target)).map((r) => r.computed!.target.slice(1));
}

export async function around(trace: Trace, node: number, element: number, read: Read, names: string[]): Promise<Around> {
  const n = trace.nodes[node]!;
  const out = trace.tensors[n.firstOut]!;
  const index = unravel(out.shape, element);
  const operands = await Promise.all(Array.from({ length: n.nIn }, async (_, i): Promise<Operand | null> => {
    const input = trace.inputs[n.input + i]!;
    const t: TraceTensor | undefined = trace.tensors[input.tensor];
    const at = t && broadcastIndex(t.shape, out.shape, index);
    if (!t || !at) return null;
    const [value, grad] = await Promise.all([read(input.tensor, 'value', at), read(input.tensor, { part: n.input + i }, at)]);
    return { tensor: input.tensor, name: names[i] ?? '', value, grad, stretched: t.shape.join() !== out.shape.join() };
  }));
  const [value, incoming] = await Promise.all([read(n.firstOut, 'value', index), read(n.firstOut, 'grad', index)]);
  return { index, value, incoming, operands: operands.filter((o) => o !== null) };
}

/** "alpha=2 dim=1" and the defaults of what it does not say, as numbers. */
export function attributeNumbers(attrs: string, defaults: Record<string, number> | undefined): Map<string, number> {
  const numbers = new Map(Object.entries(defaults ?? {}));
  for (const pair of attrs.split(/[\s,]+/)) {
    const [name, value] = pair.split('=');
    if (name && value !== undefined && value !== '' && Number.isFinite(Number(value))) numbers.set(name, Number(value));
  }
  return numbers;
}

/** What the formula's names stand for at this element. */
export function numbersOf(a: Around, rows: FormulaRow[], attrs: string, op: OpTexts['ops'][string] | undefined): Numbers {
  const numbers = attributeNumbers(attrs, op?.defaults);
  const output = rows.find((r) => !r.back && r.computed)?.computed?.target;
  if (output) numbers.set(output, a.value);
  for (const o of a.operands) if (o.name) numbers.set(o.name, o.value);
  if (Number.isFinite(a.incoming)) numbers.set('g', a.incoming);
  return numbers;
}

/** The products of which an element of a matrix product is the sum. Null for operands that are not two matrices (or a matrix and a vector). */
export interface Products { left: Float32Array; right: Float32Array; sum: number }

async function row(trace: Trace, live: boolean, tensor: number, at: { row?: number; col?: number }, lead: number[]): Promise<Float32Array | null> {
  const t = trace.tensors[tensor]!;
  const [cols = 1, rows = 1] = [...t.shape].reverse();
  const { elements } = trace.stats(t.value);
  const take = { row: at.row ?? 0, col: at.col ?? 0, rows: at.row === undefined ? rows : 1, cols: at.col === undefined ? cols : 1 };
  if (elements) {
    const from = lead.reduce((k, i, d) => k * t.shape[d]! + i, 0) * rows * cols;
    return Float32Array.from({ length: take.rows * take.cols }, (_, i) => elements[from + (take.row + (take.cols === 1 ? i : 0)) * cols + take.col + (take.cols === 1 ? 0 : i)]!);
  }
  if (!live) return null;
  const { engine } = await getEngine();
  return (await engine.call('window', { tensor, index: lead, ...take })).values;
}

export async function products(trace: Trace, node: number, element: number, live: boolean): Promise<Products | null> {
  const n = trace.nodes[node]!;
  const [a, b] = [trace.inputs[n.input]?.tensor ?? -1, trace.inputs[n.input + 1]?.tensor ?? -1];
  if (!['matmul', 'mm', 'bmm', 'linear'].includes(n.op) || a < 0 || b < 0) return null;
  const [left, right, out] = [trace.tensors[a]!.shape, trace.tensors[b]!.shape, trace.tensors[n.firstOut]!.shape];
  if (left.length !== out.length || (right.length !== 2 && right.length !== out.length)) return null;
  const index = unravel(out, element);
  const lead = index.slice(0, -2);
  const [col = 0, line = 0] = [...index].reverse();
  const transposed = n.op === 'linear';
  const [x, w] = await Promise.all([
    row(trace, live, a, { row: line }, lead),
    row(trace, live, b, transposed ? { row: col } : { col }, right.length === 2 ? [] : lead),
  ]);
  if (!x || !w || x.length !== w.length) return null;
  return { left: x, right: w, sum: x.reduce((s, v, i) => s + v * w[i]!, 0) };
}
