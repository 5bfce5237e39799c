// colour.ts - colours as numbers: mixed in OKLab, where equal steps look equal; the diverging scale of values; the colours of classes.

export type Rgb = readonly [r: number, g: number, b: number];

export const css = (c: Rgb): string => `rgb(${c.map(Math.round).join(' ')})`;

const toLinear = (v: number): number => (v <= 10.31475 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4);
const fromLinear = (v: number): number => Math.min(255, Math.max(0, 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055)));

function toOklab([r, g, b]: Rgb): Rgb {
  const [lr, lg, lb] = [toLinear(r), toLinear(g), toLinear(b)];
  const l = Math.cbrt(0.4122214708 * lr + 0.5363325363 * lg + 0.0514459929 * lb);
  const m = Math.cbrt(0.2119034982 * lr + 0.6806995451 * lg + 0.1073969566 * lb);
  const s = Math.cbrt(0.0883024619 * lr + 0.2817188376 * lg + 0.6299787005 * lb);
  return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s];
}

function fromOklab([L, a, b]: Rgb): Rgb {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [fromLinear(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s), fromLinear(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    fromLinear(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s)];
}

/** The colour `share` of the way from a to b. */
export function mix(a: Rgb, b: Rgb, share: number): Rgb {
  const [p, q] = [toOklab(a), toOklab(b)];
  return fromOklab([p[0] + (q[0] - p[0]) * share, p[1] + (q[1] - p[1]) * share, p[2] + (q[2] - p[2]) * share]);
}

const STEPS = 128;

/** Colours of the 2 * STEPS + 1 values from -1 to 1: r, g, b in turn. */
export function divergingScale(negative: Rgb, zero: Rgb, positive: Rgb): Uint8ClampedArray {
  const table = new Uint8ClampedArray(3 * (2 * STEPS + 1));
  for (let i = -STEPS; i <= STEPS; i++) table.set(mix(zero, i < 0 ? negative : positive, Math.abs(i) / STEPS), 3 * (i + STEPS));
  return table;
}

/** Where in the table the colour of `value` begins, when `most` has the last one. */
export function scaleIndex(value: number, most: number): number {
  const share = most > 0 ? value / most : 0;
  return 3 * (STEPS + Math.round(Math.min(1, Math.max(-1, share)) * STEPS));
}

/** Classes of data: apart in hue and in lightness, for every kind of colour vision (after Okabe and Ito). */
const CLASS_COLOURS: readonly Rgb[] = [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233], [136, 84, 208], [120, 120, 120], [170, 140, 20], [70, 70, 140]];
export const classColour = (k: number): Rgb => CLASS_COLOURS[((k % CLASS_COLOURS.length) + CLASS_COLOURS.length) % CLASS_COLOURS.length]!;
