// attrs.ts - attributes of ops: read from the registry, packed into the op's struct or, where that is not possible, written as text, so that the
// engine says what is wrong with them.
import { C, ebb_attr } from './generated/abi.ts';
import { DTYPES, type DType } from './tensor.ts';
import type { Wasm } from './wasm.ts';

export type Attr = number | boolean | string | readonly number[];
export type Attrs = Readonly<Record<string, Attr | undefined>>;

export interface AttrInfo { name: string; type: number; at: number; def: string | null; doc: string; choices: string[]; lo: number; hi: number }

export function readAttrs(w: Wasm, p: number, n: number): AttrInfo[] {
  return Array.from({ length: n }, (_, i) => {
    const a = p + i * ebb_attr.SIZE, word = (at: number) => w.u32[(a + at) >> 2]!, choices = w.string(word(ebb_attr.choices));
    return {
      name: w.string(word(ebb_attr.name)), type: word(ebb_attr.type), at: word(ebb_attr.offset),
      def: word(ebb_attr.def) ? w.string(word(ebb_attr.def)) : null, doc: w.string(word(ebb_attr.doc)),
      choices: choices ? choices.split('|') : [], lo: w.f64[(a + ebb_attr.lo) >> 3]!, hi: w.f64[(a + ebb_attr.hi) >> 3]!,
    };
  });
}

const isList = (v: Attr): v is readonly number[] => Array.isArray(v);

/** Writes one attribute into the struct at p. -> false when it cannot be written so: the engine is then asked with text. */
export function pack(w: Wasm, p: number, a: AttrInfo, v: Attr): boolean {
  const at = p + a.at;
  switch (a.type) {
    case C.EBB_A_INT: return packInt(w, at, v);
    case C.EBB_A_FLOAT: return packFloat(w, at, v);
    case C.EBB_A_BOOL:
      w.u8[at] = Number(v);
      return v === true || v === false || v === 1 || v === 0;
    case C.EBB_A_ENUM: return (w.i32[at >> 2] = a.choices.indexOf(v as string)) >= 0;
    case C.EBB_A_DTYPE: return (w.i32[at >> 2] = DTYPES.indexOf(v as DType)) > 0;
    case C.EBB_A_INTS: case C.EBB_A_FLOATS: {
      const list = isList(v) ? v : [v], one = a.type === C.EBB_A_INTS ? packInt : packFloat;
      w.i32[at >> 2] = list.length;
      return list.length <= 8 && list.every((n, i) => one(w, at + 8 + 8 * i, n));
    }
    default: return false;
  }
}

function packInt(w: Wasm, at: number, v: Attr): boolean {
  if (!Number.isSafeInteger(v)) return false;
  w.setI64(at, v as number);
  return true;
}
function packFloat(w: Wasm, at: number, v: Attr): boolean {
  w.f64[at >> 3] = v as number;
  return typeof v === 'number';
}

/** "dim=1 keepdim=1": what every kind of declaration takes. */
export function attrsText(attrs: Attrs | undefined): string {
  return Object.entries(attrs ?? {}).filter(([, v]) => v !== undefined)
    .map(([k, v]) => `${k}=${Array.isArray(v) ? v.join(',') : typeof v === 'boolean' ? Number(v) : v}`).join(' ');
}
