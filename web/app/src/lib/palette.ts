// palette.ts - colours of the style sheets as numbers for canvases, and the diverging scale of heatmaps.
//
// The scale runs negative - zero - positive through OKLab, so that equal steps of the value look like equal steps of colour.
import { useEffect, useState } from 'preact/hooks';
import { useApp } from '../state';

export type Rgb = readonly [r: number, g: number, b: number];

export const css = (c: Rgb, alpha = 1): string => `rgb(${c.map(Math.round).join(' ')} / ${alpha})`;

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

/** Colours of 2 * STEPS + 1 values from -1 to 1, as r, g, b in turn. */
const STEPS = 128;
export interface Scale { table: Uint8ClampedArray; css(value: number): string }

export function divergingScale(negative: Rgb, zero: Rgb, positive: Rgb): Scale {
  const table = new Uint8ClampedArray(3 * (2 * STEPS + 1));
  for (let i = -STEPS; i <= STEPS; i++) table.set(mix(zero, i < 0 ? negative : positive, Math.abs(i) / STEPS), 3 * (i + STEPS));
  const css = (value: number): string => {
    const at = scaleIndex(value, 1);
    return `rgb(${table[at]} ${table[at + 1]} ${table[at + 2]})`;
  };
  return { table, css };
}

/** Where in the table the colour of `value` begins, when `most` has the last one. */
export function scaleIndex(value: number, most: number): number {
  const share = most > 0 ? value / most : 0;
  return 3 * (STEPS + Math.round(Math.min(1, Math.max(-1, share)) * STEPS));
}

/** Classes of data: apart in hue and in lightness, for every kind of colour vision (after Okabe and Ito). */
const CLASS_COLOURS: readonly Rgb[] = [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233], [136, 84, 208], [120, 120, 120], [170, 140, 20], [70, 70, 140]];
export const classColour = (k: number): Rgb => CLASS_COLOURS[((k % CLASS_COLOURS.length) + CLASS_COLOURS.length) % CLASS_COLOURS.length]!;

export interface Palette {
  scale: Scale;
  ink: string; muted: string; faint: string; line: string; surface: string; sunken: string; accent: string; bad: string; badSoft: string;
  forward: string; backward: string; optim: string; paper: Rgb;
}

function readPalette(): Palette {
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const text = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const rgb = (name: string): Rgb => {
    const [r = 0, g = 0, b = 0] = (/[\d. ,]+/.exec(text(name))?.[0] ?? '').split(/[ ,]+/).map(Number);
    return [r, g, b];
  };
  const palette: Palette = {
    scale: divergingScale(rgb('negative'), rgb('zero'), rgb('positive')),
    ink: text('ink'), muted: text('ink-2'), faint: text('ink-3'), line: text('line'), surface: text('surface'), sunken: text('sunken'), accent: text('accent'),
    bad: text('bad'), badSoft: text('bad-soft'), forward: text('forward'), backward: text('backward'), optim: text('optim'), paper: rgb('surface'),
  };
  probe.remove();
  return palette;
}

/** The colours of now; another object when the theme changes. */
export function usePalette(): Palette {
  const theme = useApp((s) => s.settings.theme);
  const [palette, set] = useState(readPalette);
  useEffect(() => {
    const renew = (): void => set(readPalette());
    renew();
    const queries = ['(prefers-color-scheme: dark)', '(forced-colors: active)'].map((q) => matchMedia(q));
    for (const query of queries) query.addEventListener('change', renew);
    return () => {
      for (const query of queries) query.removeEventListener('change', renew);
    };
  }, [theme]);
  return palette;
}
