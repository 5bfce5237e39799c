// trace.ts - reads a trace file (view/trace_write.c says what is where) into the tables that the page draws.
//
// Invariants: nothing outside the file is read, and every index of what is returned is -1 or inside its table, whatever the bytes are. A file that
// is not right is an error that says where.
import {
  ebb_trace_event as E, ebb_trace_finding as F, ebb_trace_group as G, ebb_trace_input as I, ebb_trace_node as N, ebb_trace_series as S,
  ebb_trace_stats as T, ebb_trace_tensor as V,
} from './generated/abi.ts';
import type { EventKind, Finding, GroupKind, Series, Stats, TensorKind, Trace, TraceEvent, TraceGroup, TraceInput, TraceNode, TraceTensor } from './protocol.ts';

const HEADER = 64, FRAME = 112, TRAILER = 8, TABLES = 10;
const NAMES = ['tensors', 'nodes', 'inputs', 'groups', 'events', 'stats', 'findings', 'series', 'floats', 'texts'];
const ITEM = [V.SIZE, N.SIZE, I.SIZE, G.SIZE, E.SIZE, T.SIZE, F.SIZE, S.SIZE, 4, 1];
const BINS = (T.rows - T.bin) / 4;
const TENSOR_KINDS: readonly TensorKind[] = ['input', 'param', 'const', 'value'];
const GROUP_KINDS: readonly GroupKind[] = ['region', 'def', 'repeat', 'op'];
const EVENT_KINDS: readonly EventKind[] = ['forward', 'backward', 'rule', 'leaf', 'step'];
const SEVERITIES = ['note', 'warning', 'error'] as const;
const DTYPES = ['none', 'f32', 'f64', 'i32', 'i64', 'u8', 'bool'];

const fail = (words: string): never => { throw new Error(`this trace cannot be read: ${words}`); };

/** Where the frames of a file begin. */
function framesOf(file: ArrayBuffer): number[] {
  const v = new DataView(file), magic = 'ebbtrace';
  if (file.byteLength < HEADER + TRAILER) fail(`it has ${file.byteLength} bytes, fewer than its header`);
  for (let i = 0; i < 8; i++) if (v.getUint8(i) !== magic.charCodeAt(i)) fail('it does not begin with "ebbtrace"');
  if (v.getUint32(8, true) !== 1) fail(`it is of version ${v.getUint32(8, true)}, this page reads version 1`);
  const whole = Number(v.getBigUint64(16, true)), n = v.getUint32(12, true);
  if (whole !== file.byteLength) fail(`it should have ${whole} bytes, but has ${file.byteLength}`);
  if (n > (whole - HEADER - TRAILER) / 8) fail(`${n} frames do not fit into ${whole} bytes`);
  ITEM.forEach((size, k) => { if (v.getUint32(24 + 4 * k, true) !== size) fail(`its ${NAMES[k]} have ${v.getUint32(24 + 4 * k, true)} bytes each, not ${size}`); });
  return Array.from({ length: n }, (_, i) => {
    const at = Number(v.getBigUint64(HEADER + 8 * i, true));
    if (at % 8 || at < HEADER + 8 * n || at + FRAME > whole - TRAILER) fail(`frame ${i} begins at ${at} of ${whole} bytes`);
    return at;
  });
}

/** How many frames a file has. */
export function frameCount(file: ArrayBuffer): number { return framesOf(file).length; }

/** One frame of a file, decoded. */
export function decodeTrace(file: ArrayBuffer, frame = 0): Trace {
  const frames = framesOf(file), base = frames[frame] ?? fail(`there is no frame ${frame} among ${frames.length}`);
  const v = new DataView(file, base), size = Number(v.getBigUint64(0, true));
  if (base + size > file.byteLength - TRAILER || size < FRAME) fail(`frame ${frame} should have ${size} bytes`);
  const count: number[] = [], at: number[] = [];
  for (let k = 0; k < TABLES; k++) {
    const n = v.getInt32(32 + 4 * k, true), from = v.getUint32(72 + 4 * k, true);
    if (n < 0 || from % 8 || from < FRAME || from + n * ITEM[k]! > size) fail(`its ${n} ${NAMES[k]} at ${from} do not fit into ${size} bytes`);
    count.push(n);
    at.push(from);
  }
  const i32 = new Int32Array(file, base, size >> 2), u32 = new Uint32Array(file, base, size >> 2), f32 = new Float32Array(file, base, size >> 2);
  const texts = new Uint8Array(file, base + at[9]!, count[9]!), decoder = new TextDecoder(), known = new Map<number, string>();
  const text = (p: number): string => {
    let s = known.get(p);
    if (s === undefined) {
      const end = texts.indexOf(0, p);
      if (p >= texts.length && p) fail(`a text at ${p} of ${texts.length} bytes`);
      known.set(p, (s = end < 0 ? '' : decoder.decode(texts.subarray(p, end))));
    }
    return s;
  };
  /** Items of table k; `read` gets the index of a 4-byte field from its offset. */
  const items = <R>(k: number, read: (word: (offset: number) => number) => R): R[] =>
    Array.from({ length: count[k]! }, (_, i) => {
      const from = at[k]! + i * ITEM[k]!;
      return read((offset) => (from + offset) >> 2);
    });
  const pick = <K>(list: readonly K[], k: number): K => list[k] ?? fail(`a kind ${k} of ${list.length}`);
  /** An index into table k, or -1. */
  const index = (i: number, k: number): number => (i >= -1 && i < count[k]! ? i : fail(`an index ${i} into ${count[k]} ${NAMES[k]}`));
  /** from, from + 1 ... of n items of table k. */
  const range = (from: number, n: number, k: number): number => (from >= 0 && n >= 0 && from + n <= count[k]! ? from : fail(`${n} ${NAMES[k]} from ${from} of ${count[k]}`));
  const floats = at[8]! >> 2, float = (from: number, n: number): Float32Array => {
    range(from, n, 8);
    return f32.slice(floats + from, floats + from + n);
  };

  const tensors = items<TraceTensor>(0, (w) => {
    const ndim = i32[w(V.ndim)]!;
    if (ndim < 0 || ndim > 8) fail(`a tensor of ${ndim} dims`);
    return {
      name: text(u32[w(V.name)]!), kind: pick(TENSOR_KINDS, i32[w(V.kind)]!), dtype: pick(DTYPES, i32[w(V.dtype)]!),
      shape: Array.from(i32.subarray(w(V.dim), w(V.dim) + ndim)), node: index(i32[w(V.node)]!, 1), out: i32[w(V.out)]!,
      value: index(i32[w(V.value)]!, 5), grad: index(i32[w(V.grad)]!, 5), needsGrad: i32[w(V.needs_grad)] !== 0, after: index(i32[w(V.after)]!, 5),
    };
  });
  const nodes = items<TraceNode>(1, (w) => ({
    op: text(u32[w(N.op)]!), attrs: text(u32[w(N.attrs)]!), math: text(u32[w(N.math)]!), label: text(u32[w(N.label)]!),
    group: index(i32[w(N.group)]!, 3), input: range(i32[w(N.input)]!, i32[w(N.n_in)]!, 2), nIn: i32[w(N.n_in)]!,
    firstOut: range(i32[w(N.first_out)]!, i32[w(N.n_out)]!, 0), nOut: i32[w(N.n_out)]!, onTape: i32[w(N.on_tape)] !== 0,
    line: i32[w(N.line)]!, column: i32[w(N.column)]!, endLine: i32[w(N.end_line)]!, endColumn: i32[w(N.end_column)]!,
  }));
  const inputs = items<TraceInput>(2, (w) => ({ tensor: index(i32[w(I.tensor)]!, 0), grad: index(i32[w(I.grad)]!, 5) }));
  const groups = items<TraceGroup>(3, (w) => ({
    name: text(u32[w(G.name)]!), kind: pick(GROUP_KINDS, i32[w(G.kind)]!), parent: index(i32[w(G.parent)]!, 3),
    first: range(i32[w(G.first)]!, i32[w(G.last)]! - i32[w(G.first)]!, 1), last: i32[w(G.last)]!,
    twin: index(i32[w(G.twin)]!, 3), nTwins: i32[w(G.n_twins)]!,
  }));
  const events = items<TraceEvent>(4, (w) => ({
    kind: pick(EVENT_KINDS, i32[w(E.kind)]!), node: index(i32[w(E.node)]!, 1), input: index(i32[w(E.input)]!, 2),
    tensor: index(i32[w(E.tensor)]!, 0), seconds: f32[w(E.seconds)]!,
  }));
  const findings = items<Finding>(6, (w) => ({
    code: text(u32[w(F.code)]!), title: text(u32[w(F.title)]!), cause: text(u32[w(F.cause)]!), advice: text(u32[w(F.advice)]!),
    severity: pick(SEVERITIES, i32[w(F.severity)]!), node: index(i32[w(F.node)]!, 1), tensor: index(i32[w(F.tensor)]!, 0),
  }));
  const series = items<Series>(7, (w) => {
    const n = i32[w(S.n)]!, from = i32[w(S.at)]!;
    return { name: text(u32[w(S.name)]!), steps: float(from, n), values: float(from + n, n) };
  });

  const stats = (i: number): Stats => {
    if (!(i >= 0 && i < count[5]!)) fail(`statistics ${i} of ${count[5]}`);
    const w = (offset: number): number => (at[5]! + i * T.SIZE + offset) >> 2, int = (offset: number): number => i32[w(offset)]!;
    const rows = int(T.rows), cols = int(T.cols), n = int(T.n);
    if (rows < 0 || cols < 0 || rows * cols > 1 << 20) fail(`a picture of ${rows} by ${cols}`);
    return {
      min: f32[w(T.min)]!, max: f32[w(T.max)]!, mean: f32[w(T.mean)]!, std: f32[w(T.std)]!, norm: f32[w(T.norm)]!,
      n, nNan: int(T.n_nan), nInf: int(T.n_inf), nZero: int(T.n_zero), firstBad: int(T.first_bad),
      bins: u32.slice(w(T.bin), w(T.bin) + BINS), rows, cols,
      pixels: rows * cols ? float(int(T.pixels), rows * cols) : new Float32Array(0),
      elements: int(T.elements) < 0 ? null : float(int(T.elements), n),
    };
  };
  return {
    step: Number(v.getBigInt64(8, true)), loss: v.getFloat64(16, true), model: text(v.getUint32(24, true)), about: text(v.getUint32(28, true)),
    tensors, nodes, inputs, groups, events, findings, series, nStats: count[5]!, stats,
  };
}
