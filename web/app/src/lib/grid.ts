// grid.ts - what a heatmap shows of a tensor: a slice of its last two dims as cells, and which elements each cell stands for.
//
// A 1-d tensor is one row, or rows of WRAP elements when it is longer. A scalar is one cell. Cells stand for one element each, or (in thumbnails) for the
// mean of a block.
import type { Stats } from '@engine/protocol';

export const WRAP = 32;

export interface Grid {
  /** Cells. */
  rows: number; cols: number; values: Float32Array;
  /** Cells that stand for something: the last row of a wrapped tensor may be shorter. */
  count: number;
  /** Elements of the slice: the cells are spread evenly over them. */
  totalRows: number; totalCols: number;
  /** Index of the slice in the leading dims, and whether the tensor is a wrapped 1-d one. */
  lead: readonly number[]; wrapped: boolean;
}

export const leadingDims = (shape: readonly number[]): number[] => shape.slice(0, Math.max(0, shape.length - 2));
const rowsOf = (shape: readonly number[]): number => (shape.length >= 2 ? shape[shape.length - 2]! : 1);
const colsOf = (shape: readonly number[]): number => (shape.length >= 1 ? shape[shape.length - 1]! : 1);
const product = (numbers: readonly number[]): number => numbers.reduce((a, b) => a * b, 1);

/** Row-major place of the slice's first element. */
export function sliceOffset(shape: readonly number[], lead: readonly number[]): number {
  const dims = leadingDims(shape);
  return dims.reduce((at, dim, i) => at * dim + (lead[i] ?? 0), 0) * rowsOf(shape) * colsOf(shape);
}

/** Cells of one element each, from the elements of the slice. */
export function elementGrid(shape: readonly number[], slice: Float32Array, lead: readonly number[]): Grid {
  const count = slice.length;
  if (shape.length === 1 && count > WRAP) {
    const rows = Math.ceil(count / WRAP);
    return { rows, cols: WRAP, values: slice, count, totalRows: rows, totalCols: WRAP, lead: [], wrapped: true };
  }
  const [rows, cols] = [rowsOf(shape), colsOf(shape)];
  return { rows, cols, values: slice, count, totalRows: rows, totalCols: cols, lead, wrapped: false };
}

/** The grid of what a record keeps: all elements when there are all, else the thumbnail of the first slice. Null: nothing of this slice. */
export function statsGrid(stats: Stats, shape: readonly number[], lead: readonly number[]): Grid | null {
  if (stats.elements) {
    const from = sliceOffset(shape, lead);
    return elementGrid(shape, stats.elements.subarray(from, from + rowsOf(shape) * colsOf(shape)), lead);
  }
  if (lead.some((i) => i !== 0)) return null;
  return { rows: stats.rows, cols: stats.cols, values: stats.pixels, count: stats.pixels.length, totalRows: rowsOf(shape), totalCols: colsOf(shape), lead, wrapped: false };
}

/** First and last row and column of the slice that cell (row, col) stands for. */
export function cellElements(g: Grid, row: number, col: number): { rows: [number, number]; cols: [number, number] } {
  const span = (i: number, cells: number, total: number): [number, number] => {
    const first = Math.floor((i * total) / cells);
    return [first, Math.max(first, Math.floor(((i + 1) * total) / cells) - 1)];
  };
  return { rows: span(row, g.rows, g.totalRows), cols: span(col, g.cols, g.totalCols) };
}

export const isExact = (g: Grid): boolean => g.rows === g.totalRows && g.cols === g.totalCols;

/** Index of a cell's element in the whole tensor. */
export function cellIndex(g: Grid, shape: readonly number[], row: number, col: number): number[] {
  if (shape.length === 0) return [];
  if (g.wrapped) return [row * WRAP + col];
  const at = cellElements(g, row, col);
  return shape.length === 1 ? [at.cols[0]] : [...g.lead, at.rows[0], at.cols[0]];
}

/** "[3, 5]"; "[0..12, 5..9]" for the mean of a block. */
export function cellLabel(g: Grid, shape: readonly number[], row: number, col: number): string {
  if (isExact(g)) return `[${cellIndex(g, shape, row, col).join(', ')}]`;
  const range = ([a, b]: [number, number]): string => (a === b ? String(a) : `${a}..${b}`);
  const at = cellElements(g, row, col);
  return `[${[...g.lead, ...(shape.length > 1 ? [range(at.rows)] : []), range(at.cols)].join(', ')}]`;
}

/** Index of the element at a row-major place, and back. */
export function unravel(shape: readonly number[], place: number): number[] {
  const index: number[] = [];
  for (let d = shape.length - 1; d >= 0; d--) {
    index.unshift(place % shape[d]!);
    place = Math.floor(place / shape[d]!);
  }
  return index;
}
export const ravel = (shape: readonly number[], index: readonly number[]): number => shape.reduce((at, dim, d) => at * dim + (index[d] ?? 0), 0);

/** The cell of an element, or null when it is in another slice. */
export function cellOf(g: Grid, shape: readonly number[], index: readonly number[]): { row: number; col: number } | null {
  if (g.wrapped) return { row: Math.floor(index[0]! / WRAP), col: index[0]! % WRAP };
  const lead = leadingDims(shape);
  if (lead.some((_, d) => (index[d] ?? 0) !== (g.lead[d] ?? 0))) return null;
  const row = shape.length >= 2 ? index[shape.length - 2]! : 0;
  const col = shape.length >= 1 ? index[shape.length - 1]! : 0;
  return { row: Math.floor(((row + 0.5) * g.rows) / g.totalRows), col: Math.floor(((col + 0.5) * g.cols) / g.totalCols) };
}

/** Text of all elements in nested brackets: JSON with null for what is not finite, or the argument of numpy.array. */
export function nestedText(shape: readonly number[], values: ArrayLike<number>, style: 'json' | 'numpy'): string {
  const words = (v: number): string => {
    if (style === 'json') return Number.isFinite(v) ? String(Math.fround(v)) : 'null';
    return Number.isNaN(v) ? 'nan' : v === Infinity ? 'inf' : v === -Infinity ? '-inf' : String(v);
  };
  const part = (dim: number, from: number): string => {
    if (dim === shape.length) return words(values[from]!);
    const size = product(shape.slice(dim + 1));
    return `[${Array.from({ length: shape[dim]! }, (_, i) => part(dim + 1, from + i * size)).join(', ')}]`;
  };
  const text = part(0, 0);
  return style === 'json' ? text : `array(${text}, dtype=float32)`;
}
