// scale.ts - colour scales, as numbers: signs on a diverging scale, gradients' norms as widths.

export type Rgb = readonly [number, number, number];

const linear = (v: number): number => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const gamma = (v: number): number => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);

type Lab = readonly [number, number, number];

function toLab(rgb: Rgb): Lab {
  const [r, g, b] = rgb.map((v) => linear(v / 255)) as [number, number, number];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function toRgb([L, a, b]: Lab): Rgb {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const byte = (v: number): number => Math.round(255 * Math.min(1, Math.max(0, gamma(Math.max(0, v)))));
  return [
    byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    byte(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** Between two colours in OKLab, where equal steps look equal. */
export function mix(a: Rgb, b: Rgb, share: number): Rgb {
  const [p, q] = [toLab(a), toLab(b)];
  return toRgb([0, 1, 2].map((i) => p[i]! + (q[i]! - p[i]!) * share) as unknown as Lab);
}

/** 256 colours from negative by zero (entry 128) to positive, 3 bytes each. */
export function divergingTable(negative: Rgb, zero: Rgb, positive: Rgb): Uint8Array {
  const table = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i++) {
    const v = (i - 128) / 127;
    table.set(mix(zero, v < 0 ? negative : positive, Math.min(1, Math.abs(v)) ** 0.8), 3 * i);
  }
  return table;
}

/** Entry of a diverging table for `value`, when `most` is the largest magnitude. */
export const divergingEntry = (value: number, most: number): number =>
  most > 0 ? Math.round(128 + 127 * Math.max(-1, Math.min(1, value / most))) : 128;

/** Below this a gradient counts as vanished. */
export const VANISHED = 1e-7;

/** Width of an edge for a gradient's norm, from 1 to 7: logarithmic from 1e-6 to 10. */
export function flowWidth(norm: number): number {
  const share = (Math.log10(Math.max(norm, 1e-12)) + 6) / 7;
  return 1 + 6 * Math.min(1, Math.max(0, share));
}

export type FlowSign = 'positive' | 'negative' | 'mixed' | 'vanished' | 'bad';

/** What an edge says of its gradient: mixed when the mean is small beside the spread. */
export function flowSign(norm: number, mean: number, n: number, bad: number): FlowSign {
  if (bad > 0 || !Number.isFinite(norm)) return 'bad';
  if (norm < VANISHED) return 'vanished';
  const rms = norm / Math.sqrt(Math.max(1, n));
  if (Math.abs(mean) < 0.02 * rms) return 'mixed';
  return mean > 0 ? 'positive' : 'negative';
}
