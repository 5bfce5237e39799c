// text.ts - widths of texts and texts cut to a width, measured once each at a size of 100.

const widths = new Map<string, Map<string, number>>();
const REFERENCE = 100;
const MOST = 5000;
let measurer: CanvasRenderingContext2D | null = null;

function widthAt100(text: string, font: string): number {
  let known = widths.get(font);
  if (!known) widths.set(font, (known = new Map()));
  let width = known.get(text);
  if (width === undefined) {
    measurer ??= document.createElement('canvas').getContext('2d')!;
    measurer.font = font.replace('{size}', `${REFERENCE}px`);
    width = measurer.measureText(text).width;
    if (known.size >= MOST) known.clear();
    known.set(text, width);
  }
  return width;
}

/** `font` is a CSS font with {size} in place of the size: "600 {size} sans-serif". */
export const textWidth = (text: string, font: string, size: number): number => (widthAt100(text, font) * size) / REFERENCE;

/** The text, or as much of its begin as fits with an ellipsis; '' when not even that. */
export function cutText(text: string, font: string, size: number, width: number): string {
  if (textWidth(text, font, size) <= width) return text;
  let low = 0, high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (textWidth(`${text.slice(0, middle)}…`, font, size) <= width) low = middle;
    else high = middle - 1;
  }
  return low ? `${text.slice(0, low)}…` : '';
}

/** Titles of boxes at zoom 1. */
export const TITLE = 12.5;
export const titleFont = (family: string): string => `600 {size} ${family}`;

/** What a letter of a title takes (px at zoom 1): the engine makes the boxes as wide as their texts need. */
export const letterWidth = (family: string): number => textWidth('matmul softmax logits', titleFont(family), TITLE) / 20;
