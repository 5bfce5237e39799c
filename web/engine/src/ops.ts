// ops.ts - the ops as methods, read from the engine's registry when it is loaded: e.softmax(x, { dim: 1 }), x.softmax(1).
//
// Arguments: the operands in order (null for an optional one that is left out, an array for operands without a fixed number, a number where a tensor
// is needed), then attributes as an object, or in their order. One output is a Tensor, several are an array.
import { C, ebb_host, ebb_op, ebb_sig, ebb_sig_operand } from './generated/abi.ts';
import { attrsText, pack, readAttrs, type Attr, type AttrInfo, type Attrs } from './attrs.ts';
import { EbbError } from './error.ts';
import type { Session } from './session.ts';
import { Owner, Tensor } from './tensor.ts';

export interface Operand { name: string; optional: boolean; variadic: boolean; dtype: number; dims: number }
/** One op as the registry declares it. */
export interface OpInfo {
  name: string; sig: string; math: string; doc: string; flags: number;
  inputs: Operand[]; outputs: Operand[]; attrs: AttrInfo[];
}
type Argument = Tensor | number | null | undefined | readonly (Tensor | number)[] | Attrs | Attr;
/** How a call goes: what is needed in every one of them, made at the first. */
interface Way {
  info: OpInfo; name: number; hash: number; required: number; least: number; variadic: boolean; outs: number;
  size: number; defaults: number;
}
/** C functions of ebb_host. */
type HostCall = (e: number, name: number, hash: number, n: number, x: number, attrs: number, size: number, nMore: number, more: number) => number;
type HostInPlace = (e: number, name: number, hash: number, n: number, x: number, attrs: number, size: number) => number;

const MOST_OUTS = 64;

function hashOf(name: string): number {
  let h = 2166136261;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 16777619);
  return h >>> 0 || 1;
}

/** Reads op i of the registry. */
export function readOp(e: Session, p: number): OpInfo {
  const w = e.wasm, word = (at: number) => w.u32[(p + at) >> 2]!, text = (at: number) => w.string(word(at));
  return w.frame(() => {
    const s = w.alloc(ebb_sig.SIZE);
    w.x.ebb_sig_parse(word(ebb_op.sig), s, 0, 0);
    const operand = (i: number): Operand => {
      const o = s + ebb_sig.arg + i * ebb_sig_operand.SIZE;
      return { name: w.string(o), optional: !!w.u8[o + ebb_sig_operand.optional], variadic: !!w.u8[o + ebb_sig_operand.variadic],
        dtype: w.i32[(o + ebb_sig_operand.dtype) >> 2]!, dims: w.i32[(o + ebb_sig_operand.ndim) >> 2]! };
    };
    const nx = w.i32[(s + ebb_sig.n_x) >> 2]!, ny = w.i32[(s + ebb_sig.n_y) >> 2]!;
    return {
      name: text(ebb_op.name), sig: text(ebb_op.sig), math: text(ebb_op.math), doc: text(ebb_op.doc), flags: word(ebb_op.flags),
      inputs: Array.from({ length: nx }, (_, i) => operand(i)), outputs: Array.from({ length: ny }, (_, i) => operand(nx + i)),
      attrs: readAttrs(w, word(ebb_op.attrs), word(ebb_op.n_attrs)),
    };
  });
}

/** The ops of a session, by name. */
export class OpTable {
  readonly #e: Session;
  readonly #ways = new Map<string, Way>();
  readonly #call: HostCall; readonly #inPlace: HostInPlace;
  readonly #scalar: (e: number, like: number, value: number) => number;
  #known = 0;

  constructor(e: Session) {
    this.#e = e;
    const slot = (at: number) => e.wasm.table.get(e.wasm.u32[(e.pointer + at) >> 2]!) as unknown;
    this.#call = slot(ebb_host.call) as HostCall;
    this.#inPlace = slot(ebb_host.call_inplace) as HostInPlace;
    this.#scalar = slot(ebb_host.scalar) as (e: number, like: number, value: number) => number;
  }

  /** Gives the session a method for each op it has by now, and tensors one for each op that takes one. */
  attach(): void {
    const { wasm: w, pointer } = this.#e, n = w.x.ebb_op_count(pointer);
    const session = this.#e as unknown as Record<string, unknown>, tensor = Tensor.prototype as unknown as Record<string, unknown>;
    for (; this.#known < n; this.#known++) {
      const op = w.x.ebb_op_at(pointer, this.#known), name = w.string(w.u32[(op + ebb_op.name) >> 2]!);
      const takesTensor = w.u8[w.u32[(op + ebb_op.sig) >> 2]!] !== 0x2d; // "->()" has no operand
      for (const method of w.u32[(op + ebb_op.flags) >> 2]! & C.EBB_INPLACE ? [name, `${name}_`] : [name]) {
        const inPlace = method !== name;
        if (!(method in session)) session[method] = (...args: Argument[]) => this.run(name, args, inPlace);
        if (!takesTensor || method in tensor) continue;
        tensor[method] = function (this: Tensor, ...args: Argument[]) { return this.session.ops.run(name, [this, ...args], inPlace); };
      }
    }
  }

  infoAt(i: number): OpInfo { return readOp(this.#e, this.#e.wasm.x.ebb_op_at(this.#e.pointer, i)); }
  has(name: string): boolean { return !!this.#e.wasm.frame(() => this.#e.wasm.x.ebb_op_find(this.#e.pointer, this.#e.wasm.text(name))); }
  info(name: string): OpInfo { return this.#way(name).info; }

  #way(name: string): Way { return this.#ways.get(name) ?? this.#first(name); }
  #first(name: string): Way {
    const { wasm: w, pointer } = this.#e, op = w.frame(() => w.x.ebb_op_find(pointer, w.text(name)));
    if (!op) throw new EbbError(`there is no op ${name}`, 'name');
    const info = readOp(this.#e, op), size = w.u32[(op + ebb_op.attrs_size) >> 2]!, defaults = w.frame(() => w.x.ebb_op_defaults(pointer, w.text(name)));
    const way: Way = {
      info, name: w.u32[(op + ebb_op.name) >> 2]!, hash: hashOf(name), size, defaults, least: info.inputs.length,
      required: info.inputs.filter((o) => !o.optional && !o.variadic).length, variadic: info.inputs.some((o) => o.variadic),
      outs: info.outputs.some((o) => o.variadic) ? MOST_OUTS : info.outputs.length,
    };
    this.#ways.set(name, way);
    return way;
  }

  /** Calls an op. */
  run(name: string, args: readonly Argument[], inPlace = false): Tensor | Tensor[] {
    const e = this.#e, w = e.wasm, way = this.#way(name);
    if (!e.scopeOwner && !inPlace) return e.scope(() => this.run(name, args));
    const mark = w.mark;
    try {
      const x = w.alloc(4 * (args.length + 8));
      let n = 0, at = 0;
      for (; at < args.length && n < way.least; at++) {
        const a = args[at];
        if (a instanceof Tensor) { w.i32[(x >> 2) + n++] = a.session === e ? a.live : this.#foreign(name); continue; }
        if (a === null || (a === undefined && n < way.least)) { w.i32[(x >> 2) + n++] = 0; continue; }
        if (typeof a === 'number' && n < way.required) { w.i32[(x >> 2) + n] = this.#number(name, args, a); n++; continue; }
        break;
      }
      if (way.variadic && Array.isArray(args[at])) return this.#variadic(way, args, at, x, n, inPlace);
      return this.#finish(way, args, at, x, n, inPlace);
    } finally { w.mark = mark; }
  }

  /** Operands without a fixed number come as an array behind the others. */
  #variadic(way: Way, args: readonly Argument[], at: number, x: number, n: number, inPlace: boolean): Tensor | Tensor[] {
    const w = this.#e.wasm, list = args[at] as readonly (Tensor | number)[];
    const all = w.alloc(4 * (n + list.length));
    w.u8.copyWithin(all, x, x + 4 * n);
    for (const t of list) {
      const p = t instanceof Tensor ? t.live : this.#number(way.info.name, list as readonly Argument[], t);
      w.i32[(all >> 2) + n++] = p;
    }
    return this.#finish(way, args, at + 1, all, n, inPlace);
  }

  #finish(way: Way, args: readonly Argument[], at: number, x: number, n: number, inPlace: boolean): Tensor | Tensor[] {
    const e = this.#e, w = e.wasm;
    let attrs = 0;
    if (at < args.length) {
      const given = this.#attributes(way, args, at);
      attrs = w.alloc(way.size);
      w.u8.copyWithin(attrs, way.defaults, way.defaults + way.size);
      let missing = 0;
      for (const a of way.info.attrs) {
        const v = given[a.name];
        if (v === undefined) { if (a.def === null) missing++; } else if (!pack(w, attrs, a, v)) missing++;
      }
      for (const key in given) if (!way.info.attrs.some((a) => a.name === key)) missing++;
      if (missing) return this.#byText(way, given, x, n, inPlace);
    }
    if (inPlace) {
      if (!this.#inPlace(e.pointer, way.name, way.hash, n, x, attrs, attrs ? way.size : 0)) throw e.failure()!;
      return args[0] as Tensor;
    }
    if (way.outs === 1) {
      const y = this.#call(e.pointer, way.name, way.hash, n, x, attrs, attrs ? way.size : 0, 0, 0);
      if (!y) throw e.failure()!;
      return this.#wrap(y, args);
    }
    const more = w.alloc(4 * way.outs);
    const y = this.#call(e.pointer, way.name, way.hash, n, x, attrs, attrs ? way.size : 0, way.outs - 1, more);
    if (!y) throw e.failure()!;
    const out = [this.#wrap(y, args)];
    for (let j = 0; j + 1 < way.outs && w.u32[(more >> 2) + j]; j++) out.push(this.#wrap(w.u32[(more >> 2) + j]!, args));
    return out;
  }

  /** An op that has nothing to do here returns its input: the same Tensor then, with its owner. */
  #wrap(y: number, args: readonly Argument[]): Tensor {
    for (const a of args) if (a instanceof Tensor && a.pointer === y) return a;
    return new Tensor(this.#e, y, this.#e.scopeOwner as Owner);
  }

  /** Attributes as an object, or one after the other. */
  #attributes(way: Way, args: readonly Argument[], at: number): Attrs {
    const first = args[at], { attrs, name } = way.info;
    if (args.length - at === 1 && typeof first === 'object' && first !== null && !Array.isArray(first) && !(first instanceof Tensor)) return first as Attrs;
    const out: Record<string, Attr | undefined> = {};
    for (let i = at; i < args.length; i++) {
      const a = attrs[i - at], v = args[i];
      if (!a || v instanceof Tensor) throw new EbbError(`${name}: argument ${i + 1} is one too many; it takes ${way.info.sig} and ${attrs.length} attributes`);
      out[a.name] = v as Attr | undefined;
    }
    return out;
  }

  /** The slow way, on which the engine reads the attributes itself and says what is wrong with them. */
  #byText(way: Way, attrs: Attrs, x: number, n: number, inPlace: boolean): Tensor | Tensor[] {
    const e = this.#e, w = e.wasm, y = w.alloc(4 * way.outs);
    const got = w.x.ebb_call_named(e.pointer, w.text(way.info.name + (inPlace ? '_' : '')), n, x, w.text(attrsText(attrs)), way.outs, y);
    if (got < 0) throw e.failure()!;
    const out = Array.from({ length: got }, (_, j) => new Tensor(e, w.u32[(y >> 2) + j]!, e.scopeOwner as Owner));
    return way.outs === 1 ? out[0]! : out;
  }

  /** A number where a tensor is needed: of the dtype of the first tensor beside it. */
  #number(name: string, args: readonly Argument[], v: number): number {
    const like = args.find((a): a is Tensor => a instanceof Tensor);
    if (!like) throw new EbbError(`${name}: at least one operand must be a tensor`);
    const p = this.#scalar(this.#e.pointer, like.live, v);
    if (!p) throw this.#e.failure()!;
    return p;
  }
  #foreign(name: string): never { throw new EbbError(`${name}: this tensor belongs to another session`); }
}
