// palette.ts - the page's colours for components that draw on canvases.
import { useEffect, useState } from 'preact/hooks';
import { getPalette, onPalette, type Palette } from '../graph/palette';

export type { Palette };

/** The colours of now; another object when the theme changes. */
export function usePalette(): Palette {
  const [palette, set] = useState(getPalette);
  useEffect(() => {
    set(getPalette());
    return onPalette(() => set(getPalette()));
  }, []);
  return palette;
}
