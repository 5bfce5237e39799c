// lcg.ts - the generator of the standard workloads' data; see bench/lcg.h, which it equals bit by bit.
function integers(seed: number, n: number): Uint32Array {
  const out = new Uint32Array(n);
  for (let i = 0, s = seed; i < n; i++) {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    out[i] = s >>> 8;
  }
  return out;
}

/** Numbers in [0, 1). */
export function uniform(seed: number, n: number): Float32Array {
  return Float32Array.from(integers(seed, n), (k) => k / 16777216);
}

export function classes(seed: number, n: number, mod: number): Int32Array {
  return Int32Array.from(integers(seed, n), (k) => k % mod);
}

/** Weights for so many inputs each, rows first: [out, in]. */
export function weights(seed: number, n: number, fanIn: number): Float32Array {
  const k = Math.fround(2 / Math.sqrt(fanIn));
  return uniform(seed, n).map((u) => Math.fround(u - 0.5) * k);
}
