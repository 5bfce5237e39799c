// track.ts - draws the timeline's track: the step's events on one line, coloured by phase, filled up to the present.
import type { Trace } from '@engine/protocol';
import type { Palette } from '../graph/palette';
import { cutText, textWidth } from '../graph/text';
import { type Moments, momentsOf, NEVER, type Phase } from '../moments';

export const TRACK_PAD = 10;
const BAR_TOP = 20, BAR_HEIGHT = 12, LABEL_Y = 9;
/** Ticks closer than this (px) are left out. */
const TICK_PX = 4;

export interface Span { phase: Phase; from: number; to: number }

/** The phases in order, as event numbers. */
export function phases(m: Moments): Span[] {
  const end = m.length;
  const backward = Math.min(m.backward, end), optim = Math.min(m.optim, end);
  const spans: Span[] = [
    { phase: 'forward', from: 0, to: Math.min(backward, optim) }, { phase: 'backward', from: backward, to: optim }, { phase: 'optim', from: optim, to: end },
  ];
  return spans.filter((s) => s.to > s.from);
}

/** Where the top groups run and where their gradients come. */
function groupSpans(trace: Trace, m: Moments): { name: string; from: number; to: number }[] {
  return trace.groups.filter((g) => g.parent < 0 && g.last > g.first).flatMap((g) => {
    const rules = [...m.ruleFirst.subarray(g.first, g.last)].filter((at) => at < NEVER);
    const lasts = [...m.ruleLast.subarray(g.first, g.last)].filter((at) => at < NEVER);
    const forward = { name: g.name, from: m.forward[g.first]!, to: m.forward[g.last - 1]! + 1 };
    return rules.length ? [forward, { name: g.name, from: Math.min(...rules), to: Math.max(...lasts) + 1 }] : [forward];
  });
}

const marks = new WeakMap<Trace, ReturnType<typeof groupSpans>>();

export const eventX = (time: number, length: number, width: number): number => TRACK_PAD + (length ? (time / length) * (width - 2 * TRACK_PAD) : 0);
export const eventAt = (x: number, length: number, width: number): number => ((x - TRACK_PAD) / Math.max(1, width - 2 * TRACK_PAD)) * length;

function drawGroups(c: CanvasRenderingContext2D, trace: Trace, m: Moments, width: number, { css, font }: Palette): void {
  let spans = marks.get(trace);
  if (!spans) marks.set(trace, (spans = groupSpans(trace, m)));
  const weight = `500 {size} ${font}`, size = 10.5;
  c.font = weight.replace('{size}', `${size}px`);
  for (const { name, from, to } of spans) {
    const x = eventX(from, m.length, width) + 1, w = eventX(to, m.length, width) - x - 1;
    if (w < 12) continue;
    c.fillStyle = css['line-2'];
    c.fillRect(x, BAR_TOP - 4, w, 1.5);
    const text = cutText(name, weight, size, w);
    c.fillStyle = css['ink-3'];
    if (text) c.fillText(text, x + (w - textWidth(text, weight, size)) / 2, LABEL_Y);
  }
}

export function drawTrack(c: CanvasRenderingContext2D, width: number, height: number, trace: Trace | null, time: number, hover: number | null, palette: Palette): void {
  const { css } = palette;
  c.clearRect(0, 0, width, height);
  c.textBaseline = 'middle';
  const soft: Record<Phase, string> = { forward: css['forward-soft'], backward: css['backward-soft'], optim: css['optim-soft'] };
  const full: Record<Phase, string> = { forward: css.forward, backward: css.backward, optim: css.optim };
  if (!trace) {
    c.fillStyle = css.sunken;
    c.fillRect(TRACK_PAD, BAR_TOP, width - 2 * TRACK_PAD, BAR_HEIGHT);
    return;
  }
  const m = momentsOf(trace);
  const x = (t: number): number => eventX(t, m.length, width);
  for (const { phase, from, to } of phases(m)) {
    const gap = to < m.length ? 2 : 0;
    const x0 = x(from), x1 = Math.max(x0 + 2, x(to) - gap);
    c.fillStyle = soft[phase];
    c.fillRect(x0, BAR_TOP, x1 - x0, BAR_HEIGHT);
    if (time > from) {
      c.fillStyle = full[phase];
      c.fillRect(x0, BAR_TOP, Math.min(x1, x(time)) - x0, BAR_HEIGHT);
    }
  }
  if (x(1) - x(0) >= TICK_PX) {
    c.fillStyle = css.surface;
    for (let i = 1; i < m.length; i++) c.fillRect(x(i) - 0.5, BAR_TOP, 1, BAR_HEIGHT);
  }
  drawGroups(c, trace, m, width, palette);
  if (hover !== null) {
    c.fillStyle = css['ink-3'];
    c.fillRect(x(hover) - 0.5, BAR_TOP - 4, 1, BAR_HEIGHT + 8);
  }
  drawHead(c, x(time), css.ink, css.surface);
}

function drawHead(c: CanvasRenderingContext2D, x: number, ink: string, around: string): void {
  const y = BAR_TOP + BAR_HEIGHT / 2;
  c.fillStyle = ink;
  c.strokeStyle = around;
  c.lineWidth = 2;
  c.beginPath();
  c.roundRect(x - 4, y - 11, 8, 22, 4);
  c.stroke();
  c.fill();
}
