// grid.ts - a spatial grid: which rectangles touch a rectangle, without asking all of them.

export interface Rect { x: number; y: number; w: number; h: number }

export const touches = (a: Rect, b: Rect): boolean => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

export const holds = (a: Rect, b: Rect): boolean => a.x <= b.x && a.y <= b.y && a.x + a.w >= b.x + b.w && a.y + a.h >= b.y + b.h;

export class Grid {
  private readonly cells = new Map<number, number[]>();
  private readonly seen: Uint32Array;
  private round = 0;

  constructor(readonly rects: readonly Rect[], private readonly size = 256) {
    this.seen = new Uint32Array(rects.length);
    rects.forEach((rect, i) => this.eachCell(rect, (cell) => {
      const list = this.cells.get(cell);
      if (list) list.push(i);
      else this.cells.set(cell, [i]);
    }));
  }

  /** Cells are numbered by their row and column; drawings are far smaller than 2^20 cells a side. */
  private eachCell(r: Rect, f: (cell: number) => void): void {
    const { size } = this;
    const right = Math.floor((r.x + r.w) / size), bottom = Math.floor((r.y + r.h) / size);
    for (let row = Math.floor(r.y / size); row <= bottom; row++) {
      for (let col = Math.floor(r.x / size); col <= right; col++) f(row * 0x100000 + col);
    }
  }

  /** Indices of those that touch `area`, in ascending order. */
  query(area: Rect): number[] {
    const all = (area.w / this.size) * (area.h / this.size) > 4 * this.cells.size;
    if (all) return this.rects.flatMap((r, i) => (touches(r, area) ? [i] : []));
    this.round++;
    const found: number[] = [];
    this.eachCell(area, (cell) => {
      for (const i of this.cells.get(cell) ?? []) {
        if (this.seen[i] === this.round) continue;
        this.seen[i] = this.round;
        if (touches(this.rects[i]!, area)) found.push(i);
      }
    });
    return found.sort((a, b) => a - b);
  }
}
