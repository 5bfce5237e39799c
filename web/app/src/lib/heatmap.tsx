// heatmap.tsx - a grid of numbers as a picture one can zoom into until the numbers stand in its cells.
//
// One canvas: an image with one pixel a cell, enlarged; over it what is not finite (hatched, so that it does not depend on colour), the numbers, the cursor.
// The view is the part that is seen, in cells. Keys: arrows move the cursor, + and - zoom, 0 shows all, Enter picks the element.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatCell } from './format';
import type { Grid } from './grid';
import { scaleIndex } from './colour';
import type { Palette } from './palette';

export interface Cell { row: number; col: number }
export interface View { row: number; col: number; rows: number; cols: number }

export const wholeView = (g: Grid): View => ({ row: 0, col: 0, rows: g.rows, cols: g.cols });

/** The view `factor` times as near (below 1: farther) around a cell, inside the grid. */
export function zoomView(g: Grid, view: View, at: Cell, factor: number): View {
  const rows = Math.min(g.rows, Math.max(Math.min(2, g.rows), view.rows / factor));
  const cols = Math.min(g.cols, Math.max(Math.min(2, g.cols), view.cols / factor));
  return insideGrid(g, {
    rows, cols,
    row: at.row + 0.5 - ((at.row + 0.5 - view.row) * rows) / view.rows,
    col: at.col + 0.5 - ((at.col + 0.5 - view.col) * cols) / view.cols,
  });
}

export const insideGrid = (g: Grid, v: View): View => ({
  ...v, row: Math.min(g.rows - v.rows, Math.max(0, v.row)), col: Math.min(g.cols - v.cols, Math.max(0, v.col)),
});

/** The view moved just so far that the cell is in it. */
export function viewWith(g: Grid, view: View, cell: Cell): View {
  const into = (from: number, size: number, at: number): number => (at < from ? at : at + 1 > from + size ? at + 1 - size : from);
  return insideGrid(g, { ...view, row: into(view.row, view.rows, cell.row), col: into(view.col, view.cols, cell.col) });
}

interface Props {
  grid: Grid;
  /** The value that has the scale's last colour. */
  most: number;
  palette: Palette;
  label: string;
  view: View;
  onView(view: View): void;
  cursor: Cell | null;
  /** A cell is pointed at (null: none any more), or chosen. */
  onCursor(cell: Cell | null, chosen: boolean): void;
  maxHeight?: number;
  testid?: string;
}

const LARGEST_CELL = 44, NUMBER_WIDTH = 38, NUMBER_HEIGHT = 15;

/** One pixel a cell. */
function cellImage(grid: Grid, most: number, palette: Palette): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = grid.cols;
  canvas.height = grid.rows;
  const image = new ImageData(grid.cols, grid.rows);
  const table = palette.diverging;
  for (let i = 0; i < grid.count; i++) {
    const value = grid.values[i]!;
    if (!Number.isFinite(value)) continue;
    const at = scaleIndex(value, most);
    image.data[4 * i] = table[at]!;
    image.data[4 * i + 1] = table[at + 1]!;
    image.data[4 * i + 2] = table[at + 2]!;
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext('2d')!.putImageData(image, 0, 0);
  return canvas;
}

/** NaN: strokes one way; infinities: both ways. */
function hatch(ctx: CanvasRenderingContext2D, palette: Palette, value: number, x: number, y: number, w: number, h: number): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, w, h);
  ctx.clip();
  ctx.fillStyle = palette.css['bad-soft'];
  ctx.fillRect(x, y, w, h);
  ctx.strokeStyle = palette.css.bad;
  ctx.lineWidth = Math.max(1, Math.min(w, h) / 8);
  const gap = Math.max(3, Math.min(w, h, 24) / 3);
  ctx.beginPath();
  for (let d = -h; d < w; d += gap) {
    ctx.moveTo(x + d, y + h);
    ctx.lineTo(x + d + h, y);
    if (Number.isNaN(value)) continue;
    ctx.moveTo(x + d, y);
    ctx.lineTo(x + d + h, y + h);
  }
  ctx.stroke();
  ctx.restore();
}

interface Drawing { grid: Grid; image: HTMLCanvasElement; most: number; palette: Palette; view: View; cursor: Cell | null; width: number; height: number }

function inkOn(palette: Palette, value: number, most: number): string {
  const at = scaleIndex(value, most);
  const [r, g, b] = [palette.diverging[at]!, palette.diverging[at + 1]!, palette.diverging[at + 2]!];
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? '#10181d' : '#ffffff';
}

function draw(canvas: HTMLCanvasElement, d: Drawing): void {
  const { grid, view, palette, width, height } = d;
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const ctx = canvas.getContext('2d')!;
  ctx.scale(ratio, ratio);
  ctx.clearRect(0, 0, width, height);
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(d.image, view.col, view.row, view.cols, view.rows, 0, 0, width, height);
  const w = width / view.cols, h = height / view.rows;
  const numbers = w >= NUMBER_WIDTH && h >= NUMBER_HEIGHT;
  ctx.font = `${Math.min(11, h * 0.6)}px ${palette.mono}`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  const lastRow = Math.min(grid.rows, Math.ceil(view.row + view.rows)), lastCol = Math.min(grid.cols, Math.ceil(view.col + view.cols));
  for (let r = Math.floor(view.row); r < lastRow; r++) {
    for (let c = Math.floor(view.col); c < lastCol && r * grid.cols + c < grid.count; c++) {
      const value = grid.values[r * grid.cols + c]!;
      const x = (c - view.col) * w, y = (r - view.row) * h;
      if (!Number.isFinite(value)) hatch(ctx, palette, value, x, y, w, h);
      if (!numbers) continue;
      ctx.fillStyle = Number.isFinite(value) ? inkOn(palette, value, d.most) : palette.css.bad;
      ctx.fillText(formatCell(value), x + w / 2, y + h / 2);
    }
  }
  if (!d.cursor) return;
  const x = (d.cursor.col - view.col) * w, y = (d.cursor.row - view.row) * h;
  ctx.strokeStyle = palette.css.ink;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(x + 0.75, y + 0.75, Math.max(2, w - 1.5), Math.max(2, h - 1.5));
}

function useWidth(): [(element: HTMLElement | null) => void, number] {
  const [element, setElement] = useState<HTMLElement | null>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return [setElement, width];
}

export function Heatmap({ grid, most, palette, label, view, onView, cursor, onCursor, maxHeight = 220, testid }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [box, available] = useWidth();
  const image = useMemo(() => cellImage(grid, most, palette), [grid, most, palette]);
  const width = Math.min(available, Math.max(12, grid.cols * LARGEST_CELL));
  const square = (grid.rows * width) / grid.cols;
  // Few rows are drawn higher than wide, or they would be lines. The size is that of the whole, however near one looks.
  const height = Math.max(14, Math.min(maxHeight, Math.max(square, Math.min(48, 2.2 * square)), grid.rows * LARGEST_CELL));
  const drag = useRef<{ x: number; y: number; view: View; moved: boolean } | null>(null);

  useEffect(() => {
    if (canvas.current && width > 0) draw(canvas.current, { grid, image, most, palette, view, cursor, width, height });
  });

  const cellAt = (e: { offsetX: number; offsetY: number }): Cell => ({
    row: Math.min(grid.rows - 1, Math.max(0, Math.floor(view.row + (e.offsetY / height) * view.rows))),
    col: Math.min(grid.cols - 1, Math.max(0, Math.floor(view.col + (e.offsetX / width) * view.cols))),
  });
  const onPointerMove = (e: PointerEvent): void => {
    const from = drag.current;
    if (from && (from.moved || Math.hypot(e.offsetX - from.x, e.offsetY - from.y) > 4)) {
      from.moved = true;
      onView(insideGrid(grid, { ...from.view, row: from.view.row - ((e.offsetY - from.y) / height) * view.rows, col: from.view.col - ((e.offsetX - from.x) / width) * view.cols }));
    } else {
      onCursor(cellAt(e), false);
    }
  };
  const onPointerDown = (e: PointerEvent): void => {
    drag.current = { x: e.offsetX, y: e.offsetY, view, moved: false };
    canvas.current?.setPointerCapture(e.pointerId);
  };
  const onPointerUp = (e: PointerEvent): void => {
    if (drag.current && !drag.current.moved) onCursor(cellAt(e), true);
    drag.current = null;
  };
  // Not passive: a pinch or ctrl+wheel zooms the picture instead of the page.
  const wheel = useRef<(e: WheelEvent) => void>(() => undefined);
  wheel.current = (e) => {
    if (!e.ctrlKey) return;
    e.preventDefault();
    onView(zoomView(grid, view, cellAt(e), Math.exp(-e.deltaY / 120)));
  };
  useEffect(() => {
    const listen = (e: WheelEvent): void => wheel.current(e);
    const element = canvas.current;
    element?.addEventListener('wheel', listen, { passive: false });
    return () => element?.removeEventListener('wheel', listen);
  }, []);

  const onKeyDown = (e: KeyboardEvent): void => {
    const at = cursor ?? { row: Math.floor(view.row), col: Math.floor(view.col) };
    const moves: Record<string, Cell> = {
      ArrowUp: { row: at.row - 1, col: at.col }, ArrowDown: { row: at.row + 1, col: at.col }, ArrowLeft: { row: at.row, col: at.col - 1 }, ArrowRight: { row: at.row, col: at.col + 1 },
    };
    const move = moves[e.key];
    if (move) {
      const cell = { row: Math.min(grid.rows - 1, Math.max(0, move.row)), col: Math.min(grid.cols - 1, Math.max(0, move.col)) };
      onCursor(cell, false);
      onView(viewWith(grid, view, cell));
    } else if (e.key === '+' || e.key === '=') onView(zoomView(grid, view, at, 1.6));
    else if (e.key === '-') onView(zoomView(grid, view, at, 1 / 1.6));
    else if (e.key === '0') onView(wholeView(grid));
    else if (e.key === 'Enter') onCursor(at, true);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };

  return (
    <div class="heatmap" ref={box}>
      <canvas ref={canvas} style={{ width: `${width}px`, height: `${height}px` }} tabIndex={0} role="img" aria-label={`${label}. Arrow keys move, plus and minus zoom.`} data-testid={testid}
        onPointerMove={onPointerMove} onPointerDown={onPointerDown} onPointerUp={onPointerUp} onPointerCancel={() => { drag.current = null; }}
        onPointerLeave={() => onCursor(null, false)} onDblClick={(e) => onView(zoomView(grid, view, cellAt(e), 2.5))} onKeyDown={onKeyDown} />
    </div>
  );
}

/** The colours of a heatmap and the numbers at its ends. */
export function Legend({ most, palette, bad, format }: { most: number; palette: Palette; bad: boolean; format: (v: number) => string }) {
  const stops = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1].map((v) => scaleIndex(v, 1)).map((i) => `rgb(${palette.diverging.slice(i, i + 3).join(' ')})`).join(', ');
  return (
    <div class="legend">
      <span class="legend-bar" style={{ background: `linear-gradient(to right, ${stops})` }} aria-hidden="true" />
      <span class="legend-ends number"><span>{format(-most)}</span><span>0</span><span>{format(most)}</span></span>
      {bad && <span class="legend-bad"><span class="hatch" aria-hidden="true" /> not finite</span>}
    </div>
  );
}
