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

/** Probabilities at every place of the grid, `classes` numbers each. */
function grid(b: Boundary, classes: number): Float32Array {
  const all = new Float32Array(b.rows * b.cols * classes);
  for (let i = 0; i < b.rows * b.cols; i++) all.set(probabilities(b.values, i * b.classes, b.classes), i * classes);
  return all;
}

/** What one axis of the picture reads: for each of its cells the place of the grid before it and how far it is to the next. */
function places(n: number): { at: Int32Array; next: Int32Array; share: Float32Array } {
  const at = new Int32Array(SIDE), next = new Int32Array(SIDE), share = new Float32Array(SIDE);
  for (let i = 0; i < SIDE; i++) {
    const place = ((i + 0.5) / SIDE) * n - 0.5;
    at[i] = Math.min(n - 1, Math.max(0, Math.floor(place)));
    next[i] = Math.min(n - 1, at[i]! + 1);
    share[i] = Math.min(1, Math.max(0, place - at[i]!));
  }
  return { at, next, share };
}

/** The class at each cell, its lead over the next one in quarters: 4 * class + quarters. Drawn several times a second, hence no objects inside. */
function decide(b: Boundary, classes: number): Uint8Array {
  const p = grid(b, classes), rows = places(b.rows), cols = places(b.cols);
  const which = new Uint8Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y++) {
    const r = SIDE - 1 - y; // row 0 of the grid is the lowest, the picture's is the highest
    const above = rows.at[r]! * b.cols, below = rows.next[r]! * b.cols, fr = rows.share[r]!;
    for (let x = 0; x < SIDE; x++) {
      const left = cols.at[x]!, right = cols.next[x]!, fc = cols.share[x]!;
      const a = (above + left) * classes, c = (above + right) * classes, d = (below + left) * classes, e = (below + right) * classes;
      let best = -Infinity, second = -Infinity, most = 0;
      for (let k = 0; k < classes; k++) {
        const v = (p[a + k]! * (1 - fc) + p[c + k]! * fc) * (1 - fr) + (p[d + k]! * (1 - fc) + p[e + k]! * fc) * fr;
        if (v > best) {
          second = best;
          best = v;
          most = k;
        } else if (v > second) second = v;
      }
      which[y * SIDE + x] = 4 * most + Math.min(3, Math.max(0, Math.ceil((best - second) * 4) - 1));
    }
  }
  return which;
}

/** Bands of equal certainty in the colour of the class, and a line where the class changes. */
function picture(b: Boundary, paper: Rgb): ImageData {
  const classes = Math.max(2, b.classes), which = decide(b, classes), image = new ImageData(SIDE, SIDE);
  const shades = Array.from({ length: 4 * classes }, (_, i) => mix(paper, classColour(i >> 2), 0.06 + (0.5 * (1 + (i & 3))) / 4));
  const edges = Array.from({ length: classes }, (_, k) => mix(paper, classColour(k), 0.95));
  for (let i = 0; i < which.length; i++) {
    const k = which[i]! >> 2;
    const edge = (i % SIDE > 0 && which[i - 1]! >> 2 !== k) || (i >= SIDE && which[i - SIDE]! >> 2 !== k);
    const [red, green, blue] = edge ? edges[k]! : shades[which[i]!]!;
    image.data[4 * i] = red;
    image.data[4 * i + 1] = green;
    image.data[4 * i + 2] = blue;
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/** The training points; classes differ in shape too: circle, square, triangle. One path a class. */
function drawPoints(ctx: CanvasRenderingContext2D, b: Boundary, size: number, paper: Rgb): void {
  const n = b.labels.length, radius = (n > 400 ? 2.4 : 3) * Math.min(1, size / 280), dark = paper[1] < 100;
  const paths = new Map<number, Path2D>();
  for (let i = 0; i < n; i++) {
    const x = ((b.points[2 * i]! - b.xMin) / (b.xMax - b.xMin)) * size, y = (1 - (b.points[2 * i + 1]! - b.yMin) / (b.yMax - b.yMin)) * size;
    const k = Math.round(b.labels[i]!);
    let path = paths.get(k);
    if (!path) paths.set(k, (path = new Path2D()));
    if (k % 3 === 0) {
      path.moveTo(x + radius, y);
      path.arc(x, y, radius, 0, 7);
    } else if (k % 3 === 1) path.rect(x - radius * 0.9, y - radius * 0.9, radius * 1.8, radius * 1.8);
    else {
      path.moveTo(x, y - radius * 1.2);
      path.lineTo(x + radius * 1.1, y + radius);
      path.lineTo(x - radius * 1.1, y + radius);
      path.closePath();
    }
  }
  ctx.lineWidth = 0.6;
  ctx.strokeStyle = css(paper);
  for (const [k, path] of paths) {
    ctx.fillStyle = css(mix(classColour(k), dark ? [255, 255, 255] : [0, 0, 0], dark ? 0.35 : 0.2));
    ctx.fill(path);
    ctx.stroke(path);
  }
}

function draw(canvas: HTMLCanvasElement, b: Boundary, { surface: paper }: Palette): void {
  const ratio = devicePixelRatio || 1, size = canvas.clientWidth;
  canvas.width = canvas.height = Math.round(size * ratio);
  const ctx = canvas.getContext('2d')!;
  const small = document.createElement('canvas');
  small.width = small.height = SIDE;
  small.getContext('2d')!.putImageData(picture(b, paper), 0, 0);
  ctx.imageSmoothingEnabled = true;
  ctx.drawImage(small, 0, 0, canvas.width, canvas.height);
  ctx.scale(ratio, ratio);
  drawPoints(ctx, b, size, paper);
}

/** Null: not known yet; its place is kept. */
export function BoundaryPicture({ boundary, palette }: { boundary: Boundary | null; palette: Palette }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => { if (boundary) draw(canvas.current!, boundary, palette); }, [boundary, palette]);
  const words = boundary ? `The plane divided by the model between ${Math.max(2, boundary.classes)} classes, with ${boundary.labels.length} training points` : 'The plane, not drawn yet';
  return (
    <figure class="boundary">
      <canvas ref={canvas} role="img" aria-label={words} data-testid="boundary" />
      <figcaption class="muted small">Colour: the class the model chooses, deeper where it is surer. Marks: training points.</figcaption>
    </figure>
  );
}
