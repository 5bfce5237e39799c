// palette.ts - the page's colours for the canvases of panels, and those of classes.
import { useEffect, useState } from 'preact/hooks';
import { getPalette, onPalette, type Palette } from '../graph/palette';
import type { Rgb } from '../scale';

export type { Palette };

export const css = (c: Rgb): string => `rgb(${c.join(' ')})`;

/** Entry `i` of the diverging table. */
export const divergingCss = (palette: Palette, entry: number): string => css([0, 1, 2].map((k) => palette.diverging[3 * entry + k]!) as unknown as Rgb);

/** Classes of data: apart in hue and in lightness, for every kind of colour vision (after Okabe and Ito). */
const CLASS_COLOURS: readonly Rgb[] = [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233], [136, 84, 208], [120, 120, 120], [170, 140, 20], [70, 70, 140]];
export const classColour = (k: number): Rgb => CLASS_COLOURS[((k % CLASS_COLOURS.length) + CLASS_COLOURS.length) % CLASS_COLOURS.length]!;

/** The colours of now; another object when the theme changes. */
export function usePalette(): Palette {
  const [palette, set] = useState(getPalette);
  useEffect(() => {
    set(getPalette());
    return onPalette(() => set(getPalette()));
  }, []);
  return palette;
}
