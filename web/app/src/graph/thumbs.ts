// thumbs.ts - pictures of tensors, made from the records' statistics: signs on the diverging scale, elements that are not finite marked.
import type { Stats, Trace } from '@engine/protocol';
import { scaleIndex } from '../lib/colour';
import { getPalette, onPalette } from './palette';

const MOST = 400;

export interface Thumb { image: HTMLCanvasElement; stats: Stats }

let cache = new Map<number, Thumb>();
let of: Trace | null = null;
onPalette(() => { cache = new Map(); });

export function paint(stats: Stats, canvas: HTMLCanvasElement): void {
  const { diverging, bad } = getPalette();
  canvas.width = Math.max(1, stats.cols);
  canvas.height = Math.max(1, stats.rows);
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(canvas.width, canvas.height);
  const most = Math.max(Math.abs(stats.min), Math.abs(stats.max));
  const { data } = image;
  for (let i = 0; i < stats.pixels.length; i++) {
    const value = stats.pixels[i]!;
    if (Number.isFinite(value)) {
      const entry = scaleIndex(value, most);
      data[4 * i] = diverging[entry]!; data[4 * i + 1] = diverging[entry + 1]!; data[4 * i + 2] = diverging[entry + 2]!;
    } else {
      [data[4 * i], data[4 * i + 1], data[4 * i + 2]] = bad;
    }
    data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** The picture of record `index` of the trace's statistics; kept while that trace is shown. */
export function thumb(trace: Trace, index: number): Thumb {
  if (of !== trace) {
    of = trace;
    cache = new Map();
  }
  let found = cache.get(index);
  if (found) {
    cache.delete(index);
  } else {
    const stats = trace.stats(index);
    found = { image: document.createElement('canvas'), stats };
    paint(stats, found.image);
    if (cache.size >= MOST) cache.delete(cache.keys().next().value!);
  }
  cache.set(index, found);
  return found;
}
