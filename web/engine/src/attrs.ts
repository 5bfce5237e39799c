// attrs.ts - attributes of ops: read from the registry, packed into the op's struct or, where that is not possible, written as text, so that the
// engine says what is wrong with them.
import { C, ebb_attr } from './generated/abi.ts';
import { DTYPES } from './tensor.ts';
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

const WORDS: Record<string, number> = { min: -(2 ** 63), max: 2 ** 63, inf: Infinity, '-inf': -Infinity, nan: NaN, true: 1, false: 0 };
const number = (v: unknown): number => (typeof v === 'string' ? WORDS[v] ?? Number(v) : Number(v));
const numbers = (v: Attr): number[] => (typeof v === 'string' ? (v === '' ? [] : v.split(',').map(number)) : Array.isArray(v) ? v.map(number) : [number(v)]);
const place = (list: readonly string[], v: Attr): number => list.indexOf(String(v));

/** Writes one attribute into the struct at p. -> false when the value cannot be one of this type: the engine is then asked with text. */
export function pack(w: Wasm, p: number, a: AttrInfo, v: Attr): boolean {
  const at = p + a.at;
  switch (a.type) {
    case C.EBB_A_INT: return packInt(w, at, number(v));
    case C.EBB_A_FLOAT: {
      const f = number(v);
      w.f64[at >> 3] = f;
      return !Number.isNaN(f) || v === 'nan' || typeof v === 'number';
    }
    case C.EBB_A_BOOL: {
      const b = number(v);
      w.u8[at] = b;
      return b === 0 || b === 1;
    }
    case C.EBB_A_ENUM: return (w.i32[at >> 2] = place(a.choices, v)) >= 0;
    case C.EBB_A_DTYPE: {
      const d = place(DTYPES, v);
      w.i32[at >> 2] = d;
      return d > 0 || (d === 0 && a.def === 'none');
    }
    case C.EBB_A_INTS: case C.EBB_A_FLOATS: {
      const list = numbers(v);
      w.i32[at >> 2] = list.length;
      if (list.length > 8) return false;
      return list.every((n, i) => {
        const to = at + 8 + 8 * i;
        if (a.type === C.EBB_A_INTS) return packInt(w, to, n);
        w.f64[to >> 3] = n;
        return !Number.isNaN(n);
      });
    }
    default: return false;
  }
}

function packInt(w: Wasm, at: number, n: number): boolean {
  if (n === 2 ** 63) { // INT64_MAX, which no number of JavaScript is
    w.i32[at >> 2] = -1; w.i32[(at >> 2) + 1] = 0x7fffffff;
    return true;
  }
  w.setI64(at, n);
  return Number.isSafeInteger(n) || n === -(2 ** 63);
}

/** "dim=1 keepdim=1": what every kind of declaration takes. */
export function attrsText(attrs: Attrs | undefined): string {
  return Object.entries(attrs ?? {}).filter(([, v]) => v !== undefined)
    .map(([k, v]) => `${k}=${Array.isArray(v) ? v.join(',') : typeof v === 'boolean' ? Number(v) : v}`).join(' ');
}
