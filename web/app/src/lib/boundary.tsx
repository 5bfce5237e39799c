// boundary.tsx - the plane as the model sees it: the class it would choose at each place, how sure it is, and the training points.
import { useEffect, useRef } from 'preact/hooks';
import type { Boundary } from '@engine/protocol';
import { classColour, css, mix, type Rgb } from './colour';
import type { Palette } from './palette';

/** Cells of the picture a side; the model is asked at fewer places and read between them. */
const SIDE = 160;

/** Probabilities of the classes at one place of the grid: a single number is that of class 1; numbers that are no probabilities go through softmax. */
export function probabilities(values: ArrayLike<number>, from: number, classes: number): number[] {
  if (classes === 1) {
    const p = values[from]!;
    const share = p >= 0 && p <= 1 ? p : 1 / (1 + Math.exp(-p));
    return [1 - share, share];
  }
  const p = Array.from({ length: classes }, (_, k) => values[from + k]!);
  const sum = p.reduce((a, b) => a + b, 0);
  if (p.every((v) => v >= -1e-4) && Math.abs(sum - 1) < 1e-2) return p;
  const most = Math.max(...p);
  const e = p.map((v) => Math.exp(v - most));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / total);
}

/** Most likely class and its lead over the next, from -1 to 1 in `lead`, at a place in cells of the grid. */
function chosen(grid: number[][], b: Boundary, row: number, col: number): { k: number; lead: number } {
  const r0 = Math.min(b.rows - 1, Math.max(0, Math.floor(row))), r1 = Math.min(b.rows - 1, r0 + 1);
  const c0 = Math.min(b.cols - 1, Math.max(0, Math.floor(col))), c1 = Math.min(b.cols - 1, c0 + 1);
  const fr = Math.min(1, Math.max(0, row - r0)), fc = Math.min(1, Math.max(0, col - c0));
  const [p, q, s, t] = [grid[r0 * b.cols + c0]!, grid[r0 * b.cols + c1]!, grid[r1 * b.cols + c0]!, grid[r1 * b.cols + c1]!];
  let k = 0, best = -Infinity, second = -Infinity;
  for (let i = 0; i < p.length; i++) {
    const v = (p[i]! * (1 - fc) + q[i]! * fc) * (1 - fr) + (s[i]! * (1 - fc) + t[i]! * fc) * fr;
    if (v > best) {
      second = best;
      best = v;
      k = i;
    } else if (v > second) second = v;
  }
  return { k, lead: best - second };
}

function picture(b: Boundary, paper: Rgb): ImageData {
  const grid = Array.from({ length: b.rows * b.cols }, (_, i) => probabilities(b.values, i * b.classes, b.classes));
  const image = new ImageData(SIDE, SIDE);
  const classes = Math.max(2, b.classes);
  // A colour for each class at sixteen degrees of certainty.
  const shades: Rgb[][] = Array.from({ length: classes }, (_, k) => Array.from({ length: 17 }, (_, i) => mix(paper, classColour(k), 0.06 + (0.5 * i) / 16)));
  const edges: Rgb[] = Array.from({ length: classes }, (_, k) => mix(paper, classColour(k), 0.95));
  const which = new Uint8Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y++) {
    // Row 0 of the grid is the lowest; the picture's is the highest.
    const row = ((SIDE - 1 - y + 0.5) / SIDE) * b.rows - 0.5;
    for (let x = 0; x < SIDE; x++) {
      const { k, lead } = chosen(grid, b, row, ((x + 0.5) / SIDE) * b.cols - 0.5);
      which[y * SIDE + x] = k;
      const edge = (x > 0 && which[y * SIDE + x - 1] !== k) || (y > 0 && which[(y - 1) * SIDE + x] !== k);
      // Bands of equal certainty, at quarters.
      const [r, g, bl] = edge ? edges[k]! : shades[k]![Math.min(16, Math.ceil(lead * 4) * 4)] ?? shades[k]![0]!;
      image.data.set([r, g, bl, 255], 4 * (y * SIDE + x));
    }
  }
  return image;
}

function draw(canvas: HTMLCanvasElement, b: Boundary, { surface: paper }: Palette): void {
  const ratio = devicePixelRatio || 1;
  const size = canvas.clientWidth;
  canvas.width = canvas.height = Math.round(size * ratio);
  const ctx = canvas.getContext('2d')!;
  const small = document.createElement('canvas');
  small.width = small.height = SIDE;
  small.getContext('2d')!.putImageData(picture(b, paper), 0, 0);
  ctx.imageSmoothingEnabled = true;
  ctx.drawImage(small, 0, 0, canvas.width, canvas.height);
  ctx.scale(ratio, ratio);
  const n = b.labels.length;
  const radius = n > 400 ? 2.4 : 3;
  const dark = paper[1] < 100;
  for (let i = 0; i < n; i++) {
    const x = ((b.points[2 * i]! - b.xMin) / (b.xMax - b.xMin)) * size, y = (1 - (b.points[2 * i + 1]! - b.yMin) / (b.yMax - b.yMin)) * size;
    const k = Math.round(b.labels[i]!);
    ctx.beginPath();
    // Classes differ in shape too: circle, square, triangle.
    if (k % 3 === 0) ctx.arc(x, y, radius, 0, 7);
    else if (k % 3 === 1) ctx.rect(x - radius * 0.9, y - radius * 0.9, radius * 1.8, radius * 1.8);
    else {
      ctx.moveTo(x, y - radius * 1.2);
      ctx.lineTo(x + radius * 1.1, y + radius);
      ctx.lineTo(x - radius * 1.1, y + radius);
      ctx.closePath();
    }
    ctx.fillStyle = css(mix(classColour(k), dark ? [255, 255, 255] : [0, 0, 0], dark ? 0.35 : 0.2));
    ctx.fill();
    ctx.lineWidth = 0.6;
    ctx.strokeStyle = css(paper);
    ctx.stroke();
  }
}

export function BoundaryPicture({ boundary, palette }: { boundary: Boundary; palette: Palette }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => draw(canvas.current!, boundary, palette), [boundary, palette]);
  const classes = Math.max(2, boundary.classes);
  return (
    <figure class="boundary">
      <canvas ref={canvas} role="img" aria-label={`The plane divided by the model between ${classes} classes, with ${boundary.labels.length} training points`} data-testid="boundary" />
      <figcaption class="muted small">Each place has the colour of the class that the model chooses there, the deeper the surer. Marks are training points.</figcaption>
    </figure>
  );
}
