// palette.ts - the style sheet's colours as the canvas needs them: read again when the theme changes.
import { divergingScale, type Rgb } from '../lib/colour';

const names = [
  'paper', 'canvas', 'surface', 'raised', 'sunken', 'ink', 'ink-2', 'ink-3', 'line', 'line-2', 'accent', 'accent-soft', 'forward', 'forward-soft',
  'backward', 'backward-soft', 'optim', 'optim-soft', 'negative', 'zero', 'positive', 'bad', 'bad-soft', 'warn', 'focus',
] as const;
export type Colour = (typeof names)[number];

export interface Palette {
  css: Record<Colour, string>;
  /** From negative to positive: 3 bytes at scaleIndex(value, most). */
  diverging: Uint8ClampedArray;
  bad: Rgb; surface: Rgb;
  font: string; mono: string;
}

let palette: Palette | null = null;

/** The colour as bytes, by way of a pixel: the browser may write it in any notation. */
function bytesOf(colour: string, pixel: CanvasRenderingContext2D): Rgb {
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = colour;
  pixel.fillRect(0, 0, 1, 1);
  const [r, g, b] = pixel.getImageData(0, 0, 1, 1).data;
  return [r!, g!, b!];
}

export function getPalette(): Palette {
  if (palette) return palette;
  // One element a colour, all read after all are there: the styles are then computed once.
  const probe = document.createElement('span');
  for (const name of names) {
    const one = document.createElement('i');
    one.style.color = `var(--${name})`;
    probe.append(one);
  }
  const code = document.createElement('code');
  code.style.fontFamily = 'var(--mono)';
  probe.append(code);
  document.body.append(probe);
  const css = {} as Record<Colour, string>;
  names.forEach((name, i) => { css[name] = getComputedStyle(probe.children[i]!).color; });
  const font = getComputedStyle(probe).fontFamily, mono = getComputedStyle(code).fontFamily;
  probe.remove();
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const pixel = canvas.getContext('2d', { willReadFrequently: true })!;
  const [negative, zero, positive, bad, surface] = (['negative', 'zero', 'positive', 'bad', 'surface'] as const).map((name) => bytesOf(css[name], pixel)) as [Rgb, Rgb, Rgb, Rgb, Rgb];
  palette = { css, diverging: divergingScale(negative, zero, positive), bad, surface, font, mono };
  return palette;
}

const listeners = new Set<() => void>();

/** Calls back after the colours have changed: the page's theme, the system's, or its contrast. */
export function onPalette(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function paletteChanged(): void {
  palette = null;
  for (const listener of listeners) listener();
}

for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)', '(prefers-contrast: more)']) {
  globalThis.matchMedia?.(query).addEventListener('change', paletteChanged);
}
