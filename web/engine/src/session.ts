// session.ts - a session of the engine: scopes, errors, parameters, tensors from numbers. The ops are added by ops.ts.
//
// Scopes: what is made inside scope() ends with it, in C and here: a Tensor whose scope has ended says so when it is used. What is made outside
// of any scope is kept until dispose().
import { C, ebb_memory, EBB_MEMORY, ebb_options } from './generated/abi.ts';
import { EbbError } from './error.ts';
import { DTYPES, dtypeOf, flatten, Owner, shapeOf, Tensor, type DType, type Values } from './tensor.ts';
import type { Attrs } from './attrs.ts';
import type { Ops } from './generated/ops.ts';
import { Optimizer } from './optim.ts';
import { OpTable, type OpInfo } from './ops.ts';
import { Wasm } from './wasm.ts';

export type Init = 'zeros' | 'ones' | 'kaiming' | 'xavier' | 'lecun';
export interface SessionOptions {
  /** Of the random numbers; the same seed gives the same bits everywhere. */
  seed?: number | bigint;
  /** Bytes the session may hold; more is an error instead of a growing page. */
  memoryLimit?: number;
  threads?: number;
}
export interface Memory { in_use: number; peak: number; held: number; tape: number; tensors: number }

/** Every op of the registry is a method of a session. */
export interface Session extends Ops {}
export class Session {
  readonly wasm: Wasm;
  /** @internal ebb * */ readonly pointer: number;
  /** @internal */ readonly ops: OpTable;
  /** @internal Owner of what lives as long as the session. */ readonly always = new Owner('its session was closed');
  /** @internal Owner of what `grad` gave. */ grads = new Owner('');

  /** @internal Use load(). like: a session whose plugins it gets; without: the built-in ones. */
  constructor(wasm: Wasm, options: SessionOptions = {}, like?: Session) {
    this.wasm = wasm;
    this.pointer = wasm.frame(() => {
      const o = wasm.struct(ebb_options.SIZE);
      wasm.i32[(o + ebb_options.threads) >> 2] = options.threads ?? 1;
      new DataView(wasm.u8.buffer).setBigUint64(o + ebb_options.seed, BigInt(options.seed ?? 0), true);
      wasm.u32[(o + ebb_options.memory_limit) >> 2] = options.memoryLimit ?? 0;
      return like ? wasm.x.ebb_open_like(like.pointer, o) : wasm.x.ebb_open(o);
    });
    if (!this.pointer) throw new EbbError('there is no memory for a session', 'memory');
    this.gradsChange();
    this.ops = new OpTable(this);
  }

  get closed(): boolean { return !this.always.open; }
  get version(): string { return this.wasm.string(this.wasm.x.ebb_version()); }

  // ---- errors ----

  /** @internal The error that is set, taken off the session; null when none is. */
  failure(): EbbError | null {
    const { x } = this.wasm, code = x.ebb_error_code(this.pointer);
    if (!code) return null;
    const error = new EbbError(this.wasm.string(x.ebb_error(this.pointer)), this.wasm.string(x.ebb_status_name(code)));
    x.ebb_error_clear(this.pointer);
    return error;
  }
  /** @internal */
  throwIfFailed(): void {
    const error = this.failure();
    if (error) throw error;
  }
  /** @internal Throws when status is not EBB_OK. */
  check(status: number): void {
    if (status) throw this.failure() ?? new EbbError(`failed: ${this.wasm.string(this.wasm.x.ebb_status_name(status))}`);
  }

  // ---- scopes ----

  /** @internal The innermost scope, null outside of any. */
  scopeOwner: Owner | null = null;

  /**
   * Runs f; every tensor made inside ends with it, but for the one (or the array of them) that f returns, which goes to the scope around or, when
   * there is none, is kept until dispose(). f must not be async.
   */
  scope<R>(f: () => R): R {
    const { x } = this.wasm, s = x.ebb_begin(this.pointer);
    if (!s) throw this.failure() ?? new EbbError('there is no memory for a scope', 'memory');
    const owner = new Owner('its scope has ended; keep() it, or return it from the scope'), outer = this.scopeOwner;
    this.scopeOwner = owner;
    try {
      const r = f();
      if (r instanceof Promise) throw new EbbError('scope: the function must not be async; its tensors end when it returns');
      for (const t of Array.isArray(r) ? r : [r]) if (t instanceof Tensor && t.owner === owner) this.#handOut(t, outer);
      return r;
    } finally {
      this.scopeOwner = outer;
      owner.open = false;
      x.ebb_end(s);
    }
  }
  #handOut(t: Tensor, outer: Owner | null): void {
    if (!outer) { t.keep(); return; }
    this.wasm.x.ebb_escape(t.pointer);
    t.owner = outer;
  }

  /** @internal Wraps what `make` returns: of the scope, or kept when there is none. */
  made(make: () => number): Tensor {
    if (this.scopeOwner) {
      const p = make();
      if (!p) throw this.failure() ?? new EbbError('the engine returned nothing');
      return new Tensor(this, p, this.scopeOwner);
    }
    return this.scope(() => this.made(make));
  }

  /** Ops inside f are not recorded. */
  noGrad<R>(f: () => R): R {
    this.wasm.x.ebb_no_grad_begin(this.pointer);
    try { return f(); } finally { this.wasm.x.ebb_no_grad_end(this.pointer); }
  }
  /** Ops inside f are shown as "outer/name" in errors and traces. */
  region<R>(name: string, f: () => R): R {
    this.wasm.frame(() => this.wasm.x.ebb_region_begin(this.pointer, this.wasm.text(name)));
    try { return f(); } finally { this.wasm.x.ebb_region_end(this.pointer); }
  }
  /** @internal Tensors that `grad` gave before are not to be used any more. */
  gradsChange(): void {
    this.grads.open = false;
    this.grads = new Owner('gradients have changed since; read .grad again');
  }

  // ---- tensors and parameters ----

  /** A tensor with a copy of these numbers. Without a dtype: f32, or that of a typed array. */
  tensor(values: Values, shape?: readonly number[], dtype: DType = dtypeOf(values)): Tensor {
    const { wasm } = this, d = DTYPES.indexOf(dtype), flat = flatten(values, d), dims = shape ?? shapeOf(values);
    const want = dims.reduce((a, b) => a * b, 1);
    if (flat.length !== want) throw new EbbError(`tensor: ${flat.length} numbers do not make [${dims}], which has ${want}`, 'shape');
    const bytes = new Uint8Array(flat.buffer, flat.byteOffset, flat.byteLength);
    return wasm.withBytes(bytes, (p) => this.made(() => wasm.frame(() => wasm.x.ebb_tensor_new(this.pointer, d, wasm.ints(dims), p))));
  }

  /** A trainable leaf of the session, under a name that must be new. */
  param(name: string, shape: readonly number[], init: Init | Values = 'zeros', dtype: 'f32' | 'f64' = 'f32'): Tensor {
    const { wasm } = this, named = typeof init === 'string';
    const fill = named ? wasm.slot(wasm.x[`ebb_${init}`]) : 0;
    const p = wasm.frame(() => wasm.x.ebb_param(this.pointer, wasm.text(name), DTYPES.indexOf(dtype), wasm.ints(shape), fill));
    if (!p) throw this.failure()!;
    const t = new Tensor(this, p, this.always);
    return named ? t : t.set(init);
  }
  /** All parameters in the order they were made. */
  params(): Tensor[] {
    const { x } = this.wasm;
    return Array.from({ length: x.ebb_param_count(this.pointer) }, (_, i) => new Tensor(this, x.ebb_param_at(this.pointer, i), this.always));
  }

  /** An optimizer over all parameters there are when it is made, or over these: optim('adamw', { lr: 1e-3 }). */
  optim(name: string, attrs?: Attrs, over?: readonly Tensor[]): Optimizer { return new Optimizer(this, name, attrs, over); }
  /** What the registry says of an op. */
  opInfo(name: string): OpInfo { return this.ops.info(name); }

  /** All gradients scaled so that their common norm is at most this. -> the norm before. */
  clipNorm(maxNorm: number): number { return this.#gradients('clip_norm', `max_norm=${maxNorm}`); }
  /** Every element of every gradient brought into [-value, value]. */
  clipValue(value: number): void { this.#gradients('clip_value', `clip_value=${value}`); }
  #gradients(name: string, attrs: string): number {
    const { wasm } = this;
    this.gradsChange();
    const r = wasm.frame(() => wasm.x.ebb_grads(this.pointer, wasm.text(name), wasm.text(attrs)));
    this.throwIfFailed();
    return r;
  }

  /** The derivatives of outputs (of one element each) with respect to these tensors; nobody's grad is changed. */
  grad(outputs: Tensor | Tensor[], wrt: Tensor[], flags: { retain?: boolean; createGraph?: boolean } = {}): Tensor[] {
    const { wasm } = this, out = Array.isArray(outputs) ? outputs : [outputs];
    const bits = (flags.retain ? C.EBB_RETAIN : 0) | (flags.createGraph ? C.EBB_CREATE_GRAPH : 0);
    const inScope = (): Tensor[] => wasm.frame(() => {
      const o = wasm.pointers(out.map((t) => t.live)), w = wasm.pointers(wrt.map((t) => t.live)), g = wasm.alloc(4 * wrt.length);
      this.check(wasm.x.ebb_grad(this.pointer, out.length, o, 0, wrt.length, w, bits, g));
      return wrt.map((_, i) => new Tensor(this, wasm.u32[(g >> 2) + i]!, this.scopeOwner!));
    });
    return this.scopeOwner ? inScope() : this.scope(inScope);
  }

  seed(seed: number | bigint): void { this.wasm.x.ebb_seed(this.pointer, BigInt(seed)); }

  memory(): Memory {
    const { wasm } = this;
    return wasm.frame(() => {
      const p = wasm.alloc(ebb_memory.SIZE);
      wasm.x.ebb_memory_stats(this.pointer, p);
      return wasm.read<Memory>(p, EBB_MEMORY);
    });
  }

  /** Ends the session and every tensor of it. */
  close(): void {
    if (this.closed) return;
    this.always.open = this.grads.open = false;
    this.wasm.x.ebb_close(this.pointer);
  }
}
