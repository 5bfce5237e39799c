// wasm.ts - one instance of the engine: its exports, its memory as typed views, texts, structs, callbacks.
//
// Invariants:
//   - the views belong to the memory as it is: it may grow inside any call of an export, and the engine then tells us (the clock is its only other import), so that
//     they are made again before that call returns. Never keep a view across a call.
//   - `alloc` gives memory of the frame: whoever takes some notes `mark` before and puts it back afterwards, also when something is thrown.
import type { Exports } from './generated/abi.ts';

/** Where the engine's bytes come from. */
export type Source = string | URL | Response | Promise<Response> | ArrayBuffer | Uint8Array | WebAssembly.Module;

interface Runtime extends Exports {
  __indirect_function_table: WebAssembly.Table;
  _initialize?(): void;
  malloc(bytes: number): number;
  free(p: number): void;
}

/** A struct's table, as generated: "16 name:kind:offset:count ...". */
interface Layout { size: number; fields: { name: string; kind: string; at: number; n: number }[] }
const layouts = new Map<string, Layout>();
export function layoutOf(table: string): Layout {
  let l = layouts.get(table);
  if (!l) {
    const [size, ...fields] = table.split(' ');
    const read = (f: string) => {
      const [name, kind, at, n] = f.split(':');
      return { name: name!, kind: kind!, at: Number(at), n: Number(n) };
    };
    l = { size: Number(size), fields: fields.map(read) };
    layouts.set(table, l);
  }
  return l;
}

const FRAME = 1 << 16;
const encoder = new TextEncoder(), decoder = new TextDecoder();

export class Wasm {
  readonly x: Runtime;
  readonly memory: WebAssembly.Memory;
  u8!: Uint8Array<ArrayBuffer>; i32!: Int32Array<ArrayBuffer>; u32!: Uint32Array<ArrayBuffer>;
  f32!: Float32Array<ArrayBuffer>; f64!: Float64Array<ArrayBuffer>;
  /** The frame: from `mark` to its end nothing is in use. */
  mark: number;
  readonly #end: number;
  readonly #free: number[] = [];
  readonly #slots = new Map<Function, number>();

  private constructor(instance: WebAssembly.Instance, memory: WebAssembly.Memory, ready: (refresh: () => void) => void) {
    this.x = instance.exports as unknown as Runtime;
    this.memory = memory;
    ready(() => this.refresh());
    this.refresh();
    this.x._initialize?.();
    this.mark = this.malloc(FRAME);
    this.#end = this.mark + FRAME;
  }

  /** shared: the memory that a module for threads imports; others have one of their own. */
  static async open(module: WebAssembly.Module, shared?: WebAssembly.Memory): Promise<Wasm> {
    let refresh = () => {};
    let memory = shared!;
    const clock_time_get = (_id: number, _precision: bigint, p: number): number => { // WASI: nanoseconds, as 64 bits
      const ns = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
      new DataView(memory.buffer).setBigUint64(p, ns, true);
      return 0;
    };
    const instance = await WebAssembly.instantiate(module, {
      env: { ...(shared && { memory: shared }), emscripten_notify_memory_growth: () => refresh() }, wasi_snapshot_preview1: { clock_time_get },
    });
    memory ??= instance.exports['memory'] as WebAssembly.Memory;
    return new Wasm(instance, memory, (f) => { refresh = f; });
  }

  get table(): WebAssembly.Table { return this.x.__indirect_function_table; }

  /** Makes the views again; also needed when other code than the engine's may have grown the memory. */
  refresh(): void {
    const b = this.memory.buffer;
    this.u8 = new Uint8Array(b); this.i32 = new Int32Array(b); this.u32 = new Uint32Array(b);
    this.f32 = new Float32Array(b); this.f64 = new Float64Array(b);
  }

  malloc(bytes: number): number {
    const p = this.x.malloc(bytes || 1) >>> 0;
    if (!p) throw new RangeError(`the engine's memory cannot grow by ${bytes} bytes`);
    return p;
  }

  /** Bytes of the frame, 8-byte aligned; they are gone when `mark` is put back. */
  alloc(bytes: number): number {
    const p = this.mark;
    this.mark = (p + bytes + 7) & ~7;
    if (this.mark > this.#end) throw new RangeError(`one call needs ${bytes} bytes of arguments`);
    return p;
  }

  /** Runs f and gives the frame back. */
  frame<R>(f: () => R): R {
    const mark = this.mark;
    try { return f(); } finally { this.mark = mark; }
  }

  /** Runs f with a copy of bytes in memory. */
  withBytes<R>(bytes: Uint8Array, f: (p: number) => R): R {
    const p = this.malloc(bytes.length);
    try { this.u8.set(bytes, p); return f(p); } finally { this.x.free(p); }
  }

  /** Runs f with a text of any length in memory. */
  withText<R>(s: string, f: (p: number) => R): R { return this.withBytes(encoder.encode(s + '\0'), f); }

  /** A short text in the frame. */
  text(s: string): number {
    const bytes = encoder.encode(s), p = this.alloc(bytes.length + 1);
    this.u8.set(bytes, p);
    this.u8[p + bytes.length] = 0;
    return p;
  }

  /** The text at p, up to its 0; "" for NULL. */
  string(p: number): string {
    if (!p) return '';
    const from = p >>> 0, end = this.u8.indexOf(0, from);
    return decoder.decode(this.u8.slice(from, end));
  }

  i64(p: number): number { return this.u32[p >> 2]! + this.i32[(p >> 2) + 1]! * 0x100000000; }
  setI64(p: number, v: number): void {
    this.u32[p >> 2] = v;
    this.i32[(p >> 2) + 1] = Math.floor(v / 0x100000000);
  }

  /** An ebb_ints in the frame. */
  ints(v: readonly number[]): number {
    if (v.length > 8) throw new RangeError(`a shape has at most 8 dims, not ${v.length}`);
    const p = this.alloc(8 + 8 * v.length);
    this.i32[p >> 2] = v.length;
    for (let i = 0; i < v.length; i++) this.setI64(p + 8 + 8 * i, v[i]!);
    return p;
  }

  /** Pointers in the frame. */
  pointers(v: readonly number[]): number {
    const p = this.alloc(4 * v.length);
    for (let i = 0; i < v.length; i++) this.i32[(p >> 2) + i] = v[i]!;
    return p;
  }

  /** A struct in the frame, zero but for its `size`. */
  struct(size: number): number {
    const p = this.alloc(size);
    this.u8.fill(0, p, p + size);
    this.u32[p >> 2] = size;
    return p;
  }

  /** The struct at p as an object, by its generated table: numbers, texts, arrays of numbers; structs within are left out. */
  read<T>(p: number, table: string): T {
    const out: Record<string, unknown> = {};
    for (const { name, kind, at, n } of layoutOf(table).fields) {
      if (kind === 's') continue;
      const width = kind === 'l' || kind === 'd' ? 8 : kind === 'b' || kind === 'c' ? 1 : 4;
      const one = (i: number) => this.#one(kind, p + at + i * width);
      out[name] = n === 1 ? one(0) : Array.from({ length: n }, (_, i) => one(i));
    }
    return out as T;
  }

  #one(kind: string, p: number): number | string | boolean {
    switch (kind) {
      case 'i': return this.i32[p >> 2]!;
      case 'l': return this.i64(p);
      case 'f': return this.f32[p >> 2]!;
      case 'd': return this.f64[p >> 3]!;
      case 'b': return this.u8[p] !== 0;
      case 'c': return this.u8[p]!;
      case 't': return this.string(this.u32[p >> 2]!);
      default: return this.u32[p >> 2]!;
    }
  }

  #place(f: unknown): number {
    const at = this.#free.pop() ?? this.table.grow(1);
    this.table.set(at, f);
    return at;
  }

  /** The C function pointer of an exported function. */
  slot(f: Function): number {
    let at = this.#slots.get(f);
    if (at === undefined) this.#slots.set(f, (at = this.#place(f)));
    return at;
  }

  /**
   * A C function pointer that calls f; `drop` gives its place in the table back. params: one letter each, 'i' or 'd'; result: 'i' or ''.
   * JavaScript functions cannot be put into a table, functions of a module can: this one imports f and exports it again.
   */
  callback(params: string, result: 'i' | '', f: (...args: number[]) => number | void): { pointer: number; drop(): void } {
    const type = (c: string) => (c === 'd' ? 0x7c : 0x7f);
    const of = result ? [1, type(result)] : [0];
    const signature = [1, 0x60, params.length, ...[...params].map(type), ...of];
    const bytes = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, signature.length, ...signature,
      2, 7, 1, 1, 0x65, 1, 0x66, 0, 0, 7, 5, 1, 1, 0x66, 0, 0]);
    const g = new WebAssembly.Instance(new WebAssembly.Module(bytes), { e: { f } }).exports['f'];
    const at = this.#place(g);
    return { pointer: at, drop: () => { this.table.set(at, null); this.#free.push(at); } };
  }
}
