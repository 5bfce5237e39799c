// tensor.ts - a tensor of the engine as a page holds it: a pointer, and the owner that says how long it may be used.
import { C, ebb_info } from './generated/abi.ts';
import { EbbError } from './error.ts';
import type { TensorOps } from './generated/ops.ts';
import type { Session } from './session.ts';

export type DType = 'f32' | 'f64' | 'i32' | 'i64' | 'u8' | 'bool';
export type TypedArray = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;
/** Numbers for a tensor: a number, nested arrays of one length a level, or a typed array. */
export type Values = number | boolean | TypedArray | readonly Values[];

export const DTYPES: readonly (DType | 'none')[] = ['none', 'f32', 'f64', 'i32', 'i64', 'u8', 'bool'];
const ARRAYS = [Uint8Array, Float32Array, Float64Array, Int32Array, BigInt64Array, Uint8Array, Uint8Array] as const;
/** The array type of a dtype's elements. */
export function arrayOf(dtype: number): (typeof ARRAYS)[number] { return ARRAYS[dtype]!; }

/** What tensors belong to: a scope, the session, or themselves. When it is closed they cannot be used any more; `why` says what closed it. */
export class Owner {
  open = true;
  why: string;
  constructor(why: string) { this.why = why; }
}

/** Tensors that were kept by hand and then forgotten: a net, not a way to work. */
interface Forgotten { session: Session; pointer: number; owner: Owner; what: string }
const net = new FinalizationRegistry<Forgotten>(({ session, pointer, owner, what }) => {
  if (!owner.open || session.closed) return;
  owner.open = false;
  session.wasm.x.ebb_release(pointer);
  console.warn(`ebb: ${what} was kept and forgotten; call dispose(), or make it inside a scope`);
});

/** Every op whose first operand is a tensor is a method of it. */
export interface Tensor extends TensorOps {}
export class Tensor {
  readonly session: Session;
  /** @internal */ pointer: number;
  /** @internal */ owner: Owner;
  #shape: readonly number[] | null = null;
  #dtype = 0;
  #kept = false;

  /** @internal Tensors come from a session. */
  constructor(session: Session, pointer: number, owner: Owner) {
    this.session = session;
    this.pointer = pointer;
    this.owner = owner;
  }

  /** @internal The pointer, if it may still be used. */
  get live(): number {
    if (!this.owner.open || this.session.closed) throw new EbbError(`this tensor is gone: ${(this.session.closed ? this.session.always : this.owner).why}`);
    return this.pointer;
  }

  #describe(): void {
    const { wasm } = this.session;
    wasm.frame(() => {
      const p = wasm.alloc(ebb_info.SIZE);
      wasm.x.ebb_tensor_info(this.live, p);
      this.#dtype = wasm.i32[(p + ebb_info.dtype) >> 2]!;
      const n = wasm.i32[(p + ebb_info.ndim) >> 2]!;
      this.#shape = Array.from({ length: n }, (_, i) => wasm.i64(p + ebb_info.shape + 8 * i));
    });
  }

  get shape(): readonly number[] {
    if (!this.#shape) this.#describe();
    return this.#shape!;
  }
  get dtype(): DType {
    if (!this.#shape) this.#describe();
    return DTYPES[this.#dtype] as DType;
  }
  get ndim(): number { return this.shape.length; }
  /** How many elements. */
  get size(): number { return this.shape.reduce((a, b) => a * b, 1); }
  get name(): string { return this.session.wasm.string(this.session.wasm.x.ebb_name_of(this.live)); }
  set name(name: string) {
    const { wasm } = this.session;
    wasm.frame(() => wasm.x.ebb_name(this.live, wasm.text(name)));
  }

  #elements(p: number): TypedArray {
    if (!p && this.size) throw this.session.failure() ?? new EbbError('this tensor is a strided view; call contiguous() first, or toTyped()');
    return new (arrayOf(DTYPES.indexOf(this.dtype)))(this.session.wasm.u8.buffer, p, this.size);
  }

  /**
   * The elements where they lie, for reading: no copy. Valid until the next call of anything of the engine, which may grow the memory and leaves
   * this array empty then. For a copy that stays: toTyped().
   */
  get data(): TypedArray { return this.#elements(this.session.wasm.x.ebb_data(this.live)); }

  /** Overwrites all elements (row-major). */
  set(values: Values): this {
    const to = this.#elements(this.session.wasm.x.ebb_data_mut(this.live));
    const flat = flatten(values, DTYPES.indexOf(this.dtype));
    if (flat.length !== to.length) throw new EbbError(`set: ${flat.length} numbers for a tensor of ${to.length}`, 'shape');
    (to as Float32Array).set(flat as Float32Array);
    return this;
  }

  /** A copy of the elements, row-major, whatever the strides. */
  toTyped(): TypedArray {
    const { wasm } = this.session, width = wasm.x.ebb_dtype_size(DTYPES.indexOf(this.dtype)), bytes = this.size * width;
    const p = wasm.malloc(bytes);
    try {
      this.session.check(wasm.x.ebb_copy_out(this.live, p, bytes));
      return new (arrayOf(DTYPES.indexOf(this.dtype)))(wasm.u8.slice(p, p + bytes).buffer);
    } finally { wasm.x.free(p); }
  }

  /** A copy as nested arrays of numbers, a number for a 0-d tensor. */
  toArray(): NestedNumbers {
    const flat = Array.from(this.toTyped() as Float32Array, Number), { shape } = this;
    let at = 0;
    const level = (d: number): NestedNumbers => (d === shape.length ? flat[at++]! : Array.from({ length: shape[d]! }, () => level(d + 1)));
    return level(0);
  }

  /** The only element as a number. */
  item(): number {
    const v = this.session.wasm.x.ebb_item(this.live);
    if (v !== v) this.session.throwIfFailed();
    return v;
  }

  /** What backward has added up here; null when nothing has. Valid until gradients change: zeroGrad, backward, step. */
  get grad(): Tensor | null {
    const g = this.session.wasm.x.ebb_grad_of(this.live);
    return g ? new Tensor(this.session, g, this.session.grads) : null;
  }
  set grad(g: Tensor | null) {
    this.session.wasm.x.ebb_grad_set(this.live, g ? g.live : 0);
    this.session.gradsChange();
    this.session.throwIfFailed();
  }
  get needsGrad(): boolean { return !!this.session.wasm.x.ebb_needs_grad(this.live); }
  /** Makes a leaf one that backward adds to. */
  requiresGrad(on = true): this {
    this.session.check(this.session.wasm.x.ebb_requires_grad(this.live, Number(on)));
    return this;
  }
  /** The same values outside the graph; shares memory. */
  detach(): Tensor { return this.session.made(() => this.session.wasm.x.ebb_detach(this.live)); }

  /** Adds the derivatives of this number with respect to every leaf that needs them to the leaves' grad. */
  backward(seed?: Tensor, flags: { retain?: boolean; createGraph?: boolean } = {}): void {
    const bits = (flags.retain ? C.EBB_RETAIN : 0) | (flags.createGraph ? C.EBB_CREATE_GRAPH : 0);
    this.session.gradsChange();
    this.session.check(this.session.wasm.x.ebb_backward_with(this.live, seed ? seed.live : 0, bits));
  }

  /** Keeps this tensor beyond its scope, until dispose(). */
  keep(): this {
    if (this.#kept) return this;
    const pointer = this.session.wasm.x.ebb_retain(this.live);
    this.#own(pointer);
    return this;
  }

  /** @internal From here on it belongs to itself: it holds one count of its own. */
  #own(pointer: number): void {
    this.#kept = true;
    this.owner = new Owner('it was disposed of');
    net.register(this, { session: this.session, pointer, owner: this.owner, what: `a tensor of [${this.shape}]` }, this);
  }
  /** Gives a kept tensor up. One that belongs to a scope ends with it; this only forbids its use. */
  dispose(): void {
    if (!this.owner.open) return;
    if (this.#kept) {
      this.owner.open = false;
      net.unregister(this);
      if (!this.session.closed) this.session.wasm.x.ebb_release(this.pointer);
    } else {
      this.owner = new Owner('it was disposed of');
      this.owner.open = false;
    }
  }

  toString(): string {
    return this.owner.open ? `${this.dtype}[${this.shape}]` : 'a tensor that is gone';
  }
}

export type NestedNumbers = number | NestedNumbers[];

/** The shape of nested values; what is ragged is found by flatten. */
export function shapeOf(v: Values): number[] {
  if (ArrayBuffer.isView(v)) return [v.length];
  return Array.isArray(v) ? [v.length, ...(v.length ? shapeOf((v as Values[])[0]!) : [])] : [];
}

/** All numbers in order, as the array of dtype. */
export function flatten(v: Values, dtype: number): TypedArray {
  const array = arrayOf(dtype);
  if (v instanceof array) return v;
  const out: number[] = [], shape = shapeOf(v);
  const level = (x: Values, d: number): void => {
    if (typeof x === 'number' || typeof x === 'boolean') { out.push(Number(x)); return; }
    if (x.length !== shape[d]) throw new EbbError(`values: ${x.length} at level ${d + 1}, but ${shape[d]} before it`, 'shape');
    if (ArrayBuffer.isView(x)) for (const n of x as Float32Array) out.push(Number(n));
    else for (const y of x) level(y, d + 1);
  };
  level(v, 0);
  if (dtype === C.EBB_I64) return BigInt64Array.from(out, (n) => BigInt(n));
  return dtype === C.EBB_BOOL ? Uint8Array.from(out, (n) => Number(n !== 0)) : (array as Float32ArrayConstructor).from(out);
}

/** The dtype that values have by themselves: that of a typed array, bool of booleans, else f32. */
export function dtypeOf(v: Values): DType {
  if (v instanceof Float64Array) return 'f64';
  if (v instanceof Int32Array) return 'i32';
  if (v instanceof BigInt64Array) return 'i64';
  if (v instanceof Uint8Array) return 'u8';
  if (Array.isArray(v) && v.length) return dtypeOf(v[0] as Values);
  return typeof v === 'boolean' ? 'bool' : 'f32';
}
