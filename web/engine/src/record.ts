// record.ts - a training step under the recorder, trace files in the engine's memory, their layout (<ebb/view.h>).
import {
  ebb_derivative, EBB_DERIVATIVE, ebb_layout, ebb_layout_options, ebb_box, ebb_record_options, ebb_trace_input, ebb_trace_node, ebb_trace_stats, ebb_trace_step, ebb_wire,
} from './generated/abi.ts';
import { EbbError } from './error.ts';
import type { Model } from './model.ts';
import type { Box, BoxKind, Derivative, Layout, Series, Stats, Window, Wire } from './protocol.ts';
import type { Session } from './session.ts';
import { Tensor } from './tensor.ts';
import type { Wasm } from './wasm.ts';

const BOX_KINDS: readonly BoxKind[] = ['node', 'tensor', 'group', 'frame'];
const SIDE = 64;

/** Copies of the bytes of one file with these frames (ebb_trace_step *). */
export function traceFile(e: Session, frames: readonly number[]): ArrayBuffer {
  const w = e.wasm;
  return w.frame(() => {
    const list = w.pointers(frames), size = w.alloc(4), p = w.x.ebb_trace_write(e.pointer, frames.length, list, size);
    if (!p) throw e.failure()!;
    const n = w.u32[size >> 2]!, bytes = w.u8.slice(p, p + n).buffer;
    w.x.ebb_trace_bytes_free(e.pointer, p, n);
    return bytes;
  });
}

/** A record of one step: the tables, and every tensor while it lives. */
export class Recording {
  readonly session: Session;
  readonly #pointer: number;
  #step = 0;

  constructor(model: Model) {
    this.session = model.session;
    const w = this.session.wasm;
    this.#pointer = w.frame(() => {
      const o = w.struct(ebb_record_options.SIZE);
      w.u32[(o + ebb_record_options.model) >> 2] = model.pointer;
      w.u8[o + ebb_record_options.live] = 1;
      return w.x.ebb_record_begin(this.session.pointer, o);
    });
    if (!this.#pointer) throw this.session.failure() ?? new EbbError('there is no memory for a record', 'memory');
  }

  addSeries(s: Series): void {
    const w = this.session.wasm, n = Math.min(s.steps.length, s.values.length), both = new Uint8Array(8 * n);
    both.set(new Uint8Array(s.steps.buffer, s.steps.byteOffset, 4 * n));
    both.set(new Uint8Array(s.values.buffer, s.values.byteOffset, 4 * n), 4 * n);
    this.session.check(w.withBytes(both, (p) => w.frame(() => w.x.ebb_record_series(this.#pointer, w.text(s.name), n, p, p + 4 * n))));
  }

  /** Stops listening. -> the tables (ebb_trace_step *), which live as long as the record. */
  end(): number {
    this.#step = this.session.wasm.x.ebb_record_end(this.#pointer);
    if (!this.#step) throw this.session.failure()!;
    return this.#step;
  }

  /** A tensor of the record, its gradient, or (`part`) the gradient that one operand gave. */
  tensor(tensor: number, grad = false, part?: number): Tensor {
    const { x } = this.session.wasm;
    const p = part === undefined ? x.ebb_record_tensor(this.#pointer, tensor, Number(grad)) : x.ebb_record_part(this.#pointer, part);
    if (!p) throw new EbbError('the record does not hold this tensor');
    return new Tensor(this.session, p, this.session.always);
  }

  /** Analytic beside numeric derivatives of one operand of a node. */
  derivative(node: number, operand: number, most: number): Derivative {
    const e = this.session, w = e.wasm, word = (p: number) => w.i32[p >> 2]!;
    if (!(node >= 0 && node < word(this.#step + ebb_trace_step.n_nodes))) throw new EbbError(`there is no node ${node}`);
    const n = word(this.#step + ebb_trace_step.nodes) + node * ebb_trace_node.SIZE, texts = word(this.#step + ebb_trace_step.texts);
    const inputs = word(this.#step + ebb_trace_step.inputs) + word(n + ebb_trace_node.input) * ebb_trace_input.SIZE, nIn = word(n + ebb_trace_node.n_in);
    const op = texts + word(n + ebb_trace_node.op), name = w.string(op);
    const x = Array.from({ length: nIn }, (_, i) => {
      const t = word(inputs + i * ebb_trace_input.SIZE + ebb_trace_input.tensor);
      return t < 0 ? 0 : w.x.ebb_record_tensor(this.#pointer, t, 0);
    });
    return w.frame(() => {
      const list = w.pointers(x), out = w.alloc(most * ebb_derivative.SIZE);
      const got = w.x.ebb_derivative_check(e.pointer, op, texts + word(n + ebb_trace_node.attrs), nIn, list, operand, most, out);
      if (got < 0) throw e.failure()!;
      const rows = Array.from({ length: got }, (_, i) => {
        const r = w.read<{ element: number; analytic: number; numeric: number; allowed: number; passed: number }>(out + i * ebb_derivative.SIZE, EBB_DERIVATIVE);
        return { ...r, passed: r.passed !== 0 };
      });
      const operands = e.ops.has(name) ? e.ops.info(name).inputs : [];
      return { op: name, operand: operands[Math.min(operand, operands.length - 1)]?.name ?? `input ${operand}`, rows };
    });
  }

  dispose(): void { this.session.wasm.x.ebb_record_free(this.#pointer); }
}

/** A trace file in the engine's memory: checked, its frames for the layout. */
export class TraceFile {
  readonly session: Session;
  readonly #pointer: number;

  constructor(session: Session, file: ArrayBuffer) {
    const w = session.wasm;
    this.session = session;
    this.#pointer = w.withBytes(new Uint8Array(file), (p) => w.x.ebb_trace_read(session.pointer, p, file.byteLength));
    if (!this.#pointer) throw session.failure()!;
  }
  get frames(): number { return this.session.wasm.x.ebb_trace_frames(this.#pointer); }
  /** ebb_trace_step * */
  frame(i: number): number {
    const p = this.session.wasm.x.ebb_trace_frame(this.#pointer, i);
    if (!p) throw new EbbError(`there is no frame ${i} among ${this.frames}`);
    return p;
  }
  dispose(): void { this.session.wasm.x.ebb_trace_file_free(this.#pointer); }
}

export interface LayoutOptions { open?: Uint8Array; right?: boolean; charWidth?: number }
/** Draws a trace (ebb_trace_step *), and gives the drawing (ebb_layout *) to `use` while it is there. */
function drawn<R>(e: Session, step: number, options: LayoutOptions, use: (layout: number, open: number) => R): R {
  const w = e.wasm, groups = w.i32[(step + ebb_trace_step.n_groups) >> 2]!;
  if (options.open && options.open.length !== groups) throw new EbbError(`layout: ${options.open.length} bytes in open for ${groups} groups`);
  return w.withBytes(options.open ?? new Uint8Array(groups), (open) => {
    if (!options.open) w.x.ebb_layout_default(step, open);
    const p = w.frame(() => {
      const o = w.struct(ebb_layout_options.SIZE);
      w.i32[(o + ebb_layout_options.right) >> 2] = Number(!!options.right);
      w.u32[(o + ebb_layout_options.open) >> 2] = open;
      w.f32[(o + ebb_layout_options.char_width) >> 2] = options.charWidth ?? 0;
      return w.x.ebb_layout_new(e.pointer, step, o);
    });
    if (!p) throw e.failure()!;
    try { return use(p, open); } finally { w.x.ebb_layout_free(e.pointer, p); }
  });
}

/** The drawing of a trace as tables. */
export function layoutOf(e: Session, step: number, options: LayoutOptions): Omit<Layout, 'ms'> {
  const w = e.wasm, groups = w.i32[(step + ebb_trace_step.n_groups) >> 2]!;
  return drawn(e, step, options, (p, open) => ({ ...readLayout(w, p), open: w.u8.slice(open, open + groups) }));
}

/** The drawing of a trace as one SVG document. */
export function svgOf(e: Session, step: number, options: LayoutOptions): string {
  return drawn(e, step, options, (p) => {
    const svg = e.wasm.x.ebb_layout_svg(e.pointer, step, p, Number(!!options.right), 0);
    if (!svg) throw e.failure()!;
    try { return e.wasm.string(svg); } finally { e.wasm.x.ebb_layout_svg_free(e.pointer, svg); }
  });
}

function readLayout(w: Wasm, p: number): Omit<Layout, 'ms' | 'open'> {
  const { i32, f32 } = w, field = (at: number) => i32[(p + at) >> 2]!;
  const boxes = Array.from({ length: field(ebb_layout.n_boxes) }, (_, i): Box => {
    const b = field(ebb_layout.boxes) + i * ebb_box.SIZE, int = (at: number) => i32[(b + at) >> 2]!, number = (at: number) => f32[(b + at) >> 2]!;
    return { kind: BOX_KINDS[int(ebb_box.kind)]!, id: int(ebb_box.id), count: int(ebb_box.count), frame: int(ebb_box.frame),
      x: number(ebb_box.x), y: number(ebb_box.y), w: number(ebb_box.w), h: number(ebb_box.h) };
  });
  const points = field(ebb_layout.points) >> 2;
  const wires = Array.from({ length: field(ebb_layout.n_wires) }, (_, i): Wire => {
    const b = field(ebb_layout.wires) + i * ebb_wire.SIZE, int = (at: number) => i32[(b + at) >> 2]!, from = points + 2 * int(ebb_wire.point);
    return { from: int(ebb_wire.from), to: int(ebb_wire.to), tensor: int(ebb_wire.tensor), input: int(ebb_wire.input), points: f32.slice(from, from + 2 * int(ebb_wire.n_points)) };
  });
  return { width: f32[(p + ebb_layout.width) >> 2]!, height: f32[(p + ebb_layout.height) >> 2]!, boxes, wires };
}

/** Statistics of one tensor (ebb_stats_of). */
export function statsOf(t: Tensor): Stats {
  const e = t.session, w = e.wasm;
  return w.withBytes(new Uint8Array(ebb_trace_stats.SIZE + 4 * SIDE * SIDE), (p) => {
    const pixels = p + ebb_trace_stats.SIZE;
    e.check(w.x.ebb_stats_of(t.live, p, pixels));
    const f = (at: number) => w.f32[(p + at) >> 2]!, i = (at: number) => w.i32[(p + at) >> 2]!;
    const rows = i(ebb_trace_stats.rows), cols = i(ebb_trace_stats.cols), bins = (p + ebb_trace_stats.bin) >> 2;
    return {
      min: f(ebb_trace_stats.min), max: f(ebb_trace_stats.max), mean: f(ebb_trace_stats.mean), std: f(ebb_trace_stats.std), norm: f(ebb_trace_stats.norm),
      n: i(ebb_trace_stats.n), nNan: i(ebb_trace_stats.n_nan), nInf: i(ebb_trace_stats.n_inf), nZero: i(ebb_trace_stats.n_zero), firstBad: i(ebb_trace_stats.first_bad),
      bins: w.u32.slice(bins, (p + ebb_trace_stats.rows) >> 2), rows, cols, pixels: w.f32.slice(pixels >> 2, (pixels >> 2) + rows * cols), elements: null,
    };
  });
}

export interface WindowAt { index?: number[]; row?: number; col?: number; rows?: number; cols?: number }
/** A part of a tensor: the last two dims of the slice at index. */
export function windowOf(t: Tensor, at: WindowAt): Window {
  const e = t.session, w = e.wasm, { shape, dtype } = t, rows = at.rows ?? SIDE, cols = at.cols ?? SIDE;
  if (rows * cols > 1 << 22) throw new EbbError(`window: ${rows} by ${cols} elements are too many`);
  return w.withBytes(new Uint8Array(4 * rows * cols), (out) => w.frame(() => {
    const index = w.alloc(64), got = w.alloc(16);
    for (let d = 0; d < 8; d++) w.setI64(index + 8 * d, at.index?.[d] ?? 0);
    const n = w.x.ebb_window(t.live, index, BigInt(at.row ?? 0), BigInt(at.col ?? 0), BigInt(rows), BigInt(cols), out, got, got + 8);
    if (n < 0n) throw e.failure()!;
    const values = w.f32.slice(out >> 2, (out >> 2) + Number(n));
    return { shape: [...shape], dtype, rows: w.i64(got), cols: w.i64(got + 8), values, stats: statsOf(t) };
  }));
}
