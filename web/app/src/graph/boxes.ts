// boxes.ts - draws the boxes: in passes (frames, bodies, texts, pictures), so that fonts and colours change seldom.
//
// Detail follows the zoom: bodies only, then the op as large as its box allows, then the shape and the mean, then the picture of the value in the room
// that is left. Where the names would be too small to read, or cut to nothing, there are none: the colours and the frames' titles say more.
import type { Box } from '@engine/protocol';
import { formatNumber } from '../lib/format';
import { toScreen, visible } from './camera';
import type { Rect } from './grid';
import { outside, type Paint, rectOf, roundRect } from './paint';
import { FRAME_HEAD, type Scene } from './scene';
import { cutText, textWidth, TITLE, titleFont } from './text';
import { thumb } from './thumbs';

const DETAIL = 10.5;
/** Zooms from which frames' titles and boxes' details are legible. */
const TITLE_ZOOM = 0.3, DETAIL_ZOOM = 0.72;
/** Titles (px): of frames at least; of boxes at least, else there are none; of boxes without details beside them, where all of them fit. */
const LEAST_FRAME_TITLE = 7.5, LEAST_TITLE = 6.5, ALONE_TITLE = 9.5;
/** Room (at zoom 1) between a box's border and its text. */
const PAD = 8.5, PAD_TENSOR = 9;

interface Drawn { i: number; box: Box; r: Rect; state: 'waiting' | 'running' | 'done'; dim: boolean }

function collect(p: Paint): { frames: Drawn[]; boxes: Drawn[] } {
  const { scene, camera, view, time } = p;
  const all = p.moving ? scene.layout.boxes.map((_, i) => i) : scene.boxGrid.query(visible(camera, view));
  const frames: Drawn[] = [], boxes: Drawn[] = [];
  for (const i of all) {
    const box = scene.layout.boxes[i]!;
    const ready = box.kind === 'tensor' || scene.runLast[i]! < time;
    const state = ready ? 'done' : scene.runFirst[i]! < time ? 'running' : 'waiting';
    (box.kind === 'frame' ? frames : boxes).push({ i, box, r: toScreen(camera, rectOf(p, i)), state, dim: outside(p, i) });
  }
  return { frames, boxes };
}

function drawFrame(p: Paint, { i, r, dim }: Drawn): void {
  const { context: c, palette: { css, font }, camera: { z } } = p;
  c.globalAlpha = dim ? 0.25 : 1;
  c.beginPath();
  roundRect(c, r, 10 * Math.min(1, z));
  c.fillStyle = css.sunken;
  c.globalAlpha *= 0.55;
  c.fill();
  c.globalAlpha = dim ? 0.25 : 1;
  c.strokeStyle = css.line;
  c.lineWidth = 1;
  c.stroke();
  const size = Math.max(LEAST_FRAME_TITLE, Math.min(12, 12 * z));
  if (z >= TITLE_ZOOM) {
    c.font = `600 ${size}px ${font}`;
    c.fillStyle = css['ink-3'];
    const { title, label } = p.scene.texts[i]!;
    c.fillText(cutText(label ? `${title}  ${label}` : title, `600 {size} ${font}`, size, r.w - 16 * z), r.x + 9 * z, r.y + (FRAME_HEAD / 2 + 1) * z);
  }
}

const radiusOf = (box: Box, z: number): number => (box.kind === 'tensor' ? 999 : 7 * Math.min(1.2, z));

/** Fill and border of a box by what it is and whether it has happened. */
function drawBody(p: Paint, { i, box, r, state, dim }: Drawn): void {
  const { context: c, palette: { css }, camera: { z } } = p;
  const waiting = state === 'waiting';
  const isParam = box.kind === 'tensor' && p.scene.trace.tensors[box.id]!.kind === 'param';
  c.globalAlpha = dim ? 0.22 : 1;
  c.strokeStyle = waiting ? css.line : isParam ? css.optim : css['line-2'];
  c.lineWidth = 1;
  if (box.kind === 'group' && z > 0.2) {
    for (const shift of box.count > 1 ? [6, 3] : [3]) {
      c.beginPath();
      roundRect(c, { x: r.x + shift * Math.min(1, z), y: r.y + shift * Math.min(1, z), w: r.w, h: r.h }, radiusOf(box, z));
      c.fillStyle = css.canvas;
      c.fill();
      c.stroke();
    }
  }
  c.beginPath();
  roundRect(c, r, radiusOf(box, z));
  c.fillStyle = waiting ? css.canvas : isParam ? css['optim-soft'] : box.kind === 'tensor' ? css.sunken : z < 0.2 ? css['line-2'] : css.surface;
  c.fill();
  c.stroke();
  if (box.kind !== 'tensor') drawGauges(p, i, r);
  else if (isParam && p.scene.moments.grad[box.id]! < p.time) drawGauge(p, r, 'right', css.backward);
}

function drawGauge(p: Paint, r: Rect, side: 'left' | 'right', colour: string, share = 1): void {
  const { context: c, camera: { z } } = p;
  const width = Math.max(1.5, 2.5 * Math.min(1.4, z)), inset = 3 * Math.min(1.2, z);
  const space = r.h - 2 * inset - 4 * Math.min(1, z);
  c.fillStyle = colour;
  c.beginPath();
  const height = space * share;
  const y = r.y + (r.h - space) / 2 + (side === 'left' ? 0 : space - height);
  roundRect(c, { x: side === 'left' ? r.x + inset : r.x + r.w - inset - width, y, w: width, h: height }, width / 2);
  c.fill();
}

/** Left: its ops have run. Right: its gradients have come. Filled by the share that has. */
function drawGauges(p: Paint, i: number, r: Rect): void {
  const { scene: { runFirst, runLast, ruleFirst, ruleLast }, palette: { css }, time } = p;
  const share = (first: number, last: number): number => (time > last ? 1 : (time - first) / (last - first + 1));
  if (runFirst[i]! < time) drawGauge(p, r, 'left', css.forward, share(runFirst[i]!, runLast[i]!));
  if (ruleFirst[i]! < time) drawGauge(p, r, 'right', css.backward, share(ruleFirst[i]!, ruleLast[i]!));
}

const fits = new WeakMap<Scene, number>();

/** How much larger the titles of a drawing can be until the first of them no longer fits its box. */
function titleFits(scene: Scene, font: string): number {
  let share = fits.get(scene);
  if (share === undefined) {
    share = Infinity;
    scene.layout.boxes.forEach(({ kind, w }, i) => {
      if (kind === 'node' || kind === 'group') share = Math.min(share!, (w - 2 * PAD) / textWidth(scene.texts[i]!.title, font, TITLE));
    });
    fits.set(scene, (share = Math.max(1, share)));
  }
  return share;
}

function titleSize({ camera: { z }, scene, palette }: Paint): number {
  if (z >= DETAIL_ZOOM) return Math.min(13.5, TITLE * z);
  return Math.max(TITLE * z, Math.min(ALONE_TITLE, TITLE * z * titleFits(scene, titleFont(palette.font))));
}

/** Where a box has its texts: a line, or two lines from the top. */
function lines(p: Paint, { r, box }: Drawn): { x: number; w: number; title: number; detail: number; size: number; small: number; two: boolean } {
  const { z } = p.camera;
  const size = titleSize(p), small = Math.min(11.5, DETAIL * z);
  const pad = (box.kind === 'tensor' ? PAD_TENSOR : PAD) * Math.min(1.2, z);
  const two = z >= DETAIL_ZOOM && r.h >= size + small + 6;
  const block = two ? size + small + 5 : size;
  const top = pictureRoom(r, block) > 0 ? r.y + 7 * Math.min(1.2, z) : r.y + (r.h - block) / 2;
  return { x: r.x + pad, w: r.w - 2 * pad, title: top + size / 2, detail: top + size + 5 + small / 2, size, small, two };
}

/** Height that is left for a picture below the texts; 0: too little. */
const pictureRoom = (r: Rect, block: number): number => {
  const room = r.h - block - 20;
  return room >= 9 ? room : 0;
};

function drawTexts(p: Paint, boxes: Drawn[]): void {
  const { context: c, palette: { css, font, mono }, scene, camera: { z } } = p;
  const strong = titleFont(font), plain = `400 {size} ${mono}`;
  const { size, small } = lines(p, boxes[0]!);
  if (size < LEAST_TITLE) return;
  const alpha = (d: Drawn): number => (d.dim ? 0.3 : d.state === 'waiting' ? 0.55 : 1);
  c.font = strong.replace('{size}', `${size}px`);
  for (const d of boxes) {
    const at = lines(p, d);
    c.globalAlpha = alpha(d);
    c.fillStyle = css.ink;
    const { title } = scene.texts[d.i]!;
    c.fillText(cutText(title, strong, size, at.w), at.x, at.title);
  }
  if (z < DETAIL_ZOOM) return;
  c.font = plain.replace('{size}', `${small}px`);
  for (const d of boxes) {
    const { title, label, detail } = scene.texts[d.i]!;
    const at = lines(p, d);
    c.globalAlpha = alpha(d);
    const name = cutText(label, plain, small, at.w);
    const taken = name ? textWidth(name, plain, small) + small : 0;
    if (detail || !at.two) drawMean(p, d, at, at.title, textWidth(title, strong, size) + 8, plain);
    else drawMean(p, d, at, at.detail, taken, plain);
    if (!at.two) continue;
    c.fillStyle = css.accent;
    c.fillText(name, at.x, at.detail);
    c.fillStyle = css['ink-3'];
    c.fillText(cutText(detail, plain, small, at.w - taken), at.x + taken, at.detail);
  }
}

/** The mean of the value (its one number, of a scalar) at the end of the line at y, where `taken` leaves room. */
function drawMean(p: Paint, d: Drawn, at: ReturnType<typeof lines>, y: number, taken: number, font: string): void {
  const { context: c, scene, palette: { css } } = p;
  const tensor = scene.tensor[d.i]!;
  if (tensor < 0 || d.state !== 'done' || p.camera.z < DETAIL_ZOOM) return;
  const { value } = scene.trace.tensors[tensor]!;
  if (value < 0) return;
  const { stats } = thumb(scene.trace, value);
  const bad = stats.nNan + stats.nInf > 0;
  const text = bad ? (stats.nNan ? 'NaN' : 'inf') : formatNumber(stats.mean, 2);
  const width = textWidth(text, font, at.small);
  if (taken + width > at.w) return;
  c.fillStyle = bad ? css.bad : stats.mean < 0 ? css.negative : css['ink-2'];
  c.fillText(text, at.x + at.w - width, y);
}

function drawPictures(p: Paint, boxes: Drawn[]): void {
  const { context: c, scene, palette: { css } } = p;
  c.imageSmoothingEnabled = false;
  for (const d of boxes) {
    const at = lines(p, d);
    const room = pictureRoom(d.r, at.two ? at.size + at.small + 5 : at.size);
    const tensor = scene.tensor[d.i]!;
    if (!room || tensor < 0 || d.state !== 'done') continue;
    const { value, grad } = scene.trace.tensors[tensor]!;
    if (value < 0) continue;
    const gradient = grad >= 0 && scene.moments.grad[tensor]! < p.time;
    const y = d.r.y + d.r.h - room - 6;
    const wide = gradient ? (at.w - 6) / 2 : at.w;
    c.globalAlpha = d.dim ? 0.3 : 1;
    drawPicture(p, value, { x: at.x, y, w: wide, h: room }, css['line-2']);
    if (gradient) drawPicture(p, grad, { x: at.x + wide + 6, y, w: wide, h: room }, css.backward);
  }
  c.globalAlpha = 1;
}

/** One picture as large as fits, its pixels at most three times longer than broad. */
function drawPicture(p: Paint, stats: number, room: Rect, border: string): void {
  const { image } = thumb(p.scene.trace, stats);
  const cell = Math.min(room.w / image.width, room.h / image.height, 14);
  const w = Math.min(room.w, image.width * cell * 3), h = Math.min(room.h, image.height * cell * 3);
  const c = p.context;
  c.drawImage(image, room.x, room.y, w, h);
  c.strokeStyle = border;
  c.lineWidth = 1;
  c.strokeRect(room.x - 0.5, room.y - 0.5, w + 1, h + 1);
}

/** Badges of what changed since the record before: the larger, the fuller. */
function drawChanges(p: Paint, boxes: Drawn[]): void {
  const { context: c, diff, scene, palette: { css, mono }, camera: { z } } = p;
  if (!diff || !diff.most.length) return;
  const most = Math.log10(Math.min(1e3, diff.most[0]!.amount));
  for (const d of boxes) {
    const tensor = scene.tensor[d.i]!;
    const amount = tensor < 0 ? NaN : diff.amount[tensor]!;
    if (!(amount > 0)) continue;
    // The one that changed most is the fullest; one that changed a hundred times less is the faintest.
    const share = Math.max(0, Math.min(1, 1 + (Math.log10(amount) - most) / 2));
    if (share === 0) continue;
    c.globalAlpha = d.dim ? 0.3 : 0.25 + 0.75 * share;
    c.strokeStyle = c.fillStyle = css.warn;
    c.lineWidth = 1 + 1.5 * share;
    c.beginPath();
    roundRect(c, d.r, radiusOf(d.box, z));
    c.stroke();
    if (z < DETAIL_ZOOM || share < 0.5) continue;
    const text = amount < 10 ? `Δ ${Number((100 * amount).toPrecision(2))}%` : 'Δ >10×';
    const size = 10, width = textWidth(text, `600 {size} ${mono}`, size) + 8;
    c.globalAlpha = d.dim ? 0.3 : 1;
    c.beginPath();
    roundRect(c, { x: d.r.x + d.r.w - width + 4, y: d.r.y - 9, w: width, h: 15 }, 7);
    c.fill();
    c.fillStyle = css.canvas;
    c.font = `600 ${size}px ${mono}`;
    c.fillText(text, d.r.x + d.r.w - width + 8, d.r.y - 1);
  }
  c.globalAlpha = 1;
}

/** Frames lie below the wires, boxes above: `between` draws the wires. */
export function drawBoxes(p: Paint, between: () => void): void {
  const { context: c } = p;
  c.textBaseline = 'middle';
  const { frames, boxes } = collect(p);
  for (const frame of frames) drawFrame(p, frame);
  c.globalAlpha = 1;
  between();
  for (const box of boxes) drawBody(p, box);
  c.globalAlpha = 1;
  if (!boxes.length) return;
  drawTexts(p, boxes);
  c.globalAlpha = 1;
  drawPictures(p, boxes);
  drawChanges(p, boxes);
}
