// renderer.ts - keeps the canvas up to date: a cached drawing with a margin, moved when the camera pans, and an overlay over it.
//
// Invariants: at most one frame is asked for at a time. The cached drawing (`base`) shows `baseCamera` at `baseTime`, MARGIN beyond the view on
// every side. When drawing is slow, a zoom shows it scaled until the camera rests. When only the time changes, only what that changes is drawn.
import { drawBoxes } from './boxes';
import { type Camera, pan, toScreen } from './camera';
import { dirtyAreas } from './dirty';
import type { Rect } from './grid';
import { type Move, MOVE_MS, rectAt, startMove } from './moving';
import { type Overlay, drawOverlay } from './overlay';
import type { Paint } from './paint';
import type { Scene } from './scene';
import { calm } from './viewstate';
import { drawWires } from './wires';

const MARGIN = 128;
/** A drawing that takes longer than this (ms) is not made again on every frame of a zoom. */
const SLOW_MS = 9;
const REST_MS = 90;
/** What boxes and wires may draw beyond their rectangles (px): borders, heads, badges. */
const OVERHANG = 12;
/** Where more than this part of the drawing changes, all of it is drawn. */
const MOST_DIRTY = 0.4;
/** How long edges go on moving after the time has changed. */
const FLOW_MS = 1600;

export type Look = Omit<Paint, 'context' | 'scene' | 'camera' | 'view' | 'moving'>;

export class Renderer {
  private readonly context: CanvasRenderingContext2D;
  private readonly base = document.createElement('canvas');
  private readonly baseContext: CanvasRenderingContext2D;
  private baseCamera: Camera = { x: 0, y: 0, z: 1 };
  private baseTime = 0;
  private baseStale = true;
  private baseMs = 0;
  private frame = 0;
  private rest = 0;
  private size = { w: 0, h: 0 };
  private scale = 1;
  private scene: Scene | null = null;
  private camera: Camera = { x: 0, y: 0, z: 1 };
  private move: Move | null = null;
  private flowUntil = 0;

  constructor(private readonly canvas: HTMLCanvasElement, private readonly look: () => Look, private readonly overlay: () => Omit<Overlay, 'phase'>) {
    this.context = canvas.getContext('2d')!;
    this.baseContext = this.base.getContext('2d')!;
  }

  resize(w: number, h: number, scale: number): void {
    if (w === this.size.w && h === this.size.h && scale === this.scale) return;
    this.size = { w, h };
    this.scale = scale;
    for (const [canvas, margin] of [[this.canvas, 0], [this.base, MARGIN]] as const) {
      canvas.width = Math.round((w + 2 * margin) * scale);
      canvas.height = Math.round((h + 2 * margin) * scale);
    }
    this.redraw();
    this.draw(performance.now());
  }

  setScene(scene: Scene | null, animate: boolean): void {
    this.move = scene && this.scene && animate && !calm() ? startMove(this.scene, scene, performance.now()) : null;
    this.scene = scene;
    this.redraw();
  }

  setCamera(camera: Camera): void {
    this.camera = camera;
    clearTimeout(this.rest);
    if (camera.z !== this.baseCamera.z && this.baseMs >= SLOW_MS) this.rest = window.setTimeout(() => this.redraw(), REST_MS);
    this.schedule();
  }

  /** The time has changed: edges move for a while. */
  flow(): void {
    if (!calm()) this.flowUntil = performance.now() + FLOW_MS;
    this.schedule();
  }

  /** Everything is drawn again. */
  redraw(): void {
    this.baseStale = true;
    this.schedule();
  }

  /** Only what lies over the cached drawing. */
  schedule(): void {
    this.frame ||= requestAnimationFrame((now) => {
      this.frame = 0;
      this.draw(now);
    });
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.rest);
  }

  private paint(context: CanvasRenderingContext2D, scene: Scene, camera: Camera, margin: number, now: number): Paint {
    const { move } = this;
    const share = move ? Math.min(1, (now - move.begin) / MOVE_MS) : 1;
    const moving = move && share < 1 ? { rect: (i: number) => rectAt(move, scene, i, share), share } : null;
    return { context, scene, camera, view: { w: this.size.w + 2 * margin, h: this.size.h + 2 * margin }, moving, ...this.look() };
  }

  private drawBase(scene: Scene, now: number): void {
    const begin = performance.now();
    const c = this.baseContext;
    c.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    c.clearRect(0, 0, this.size.w + 2 * MARGIN, this.size.h + 2 * MARGIN);
    const paint = this.paint(c, scene, pan(this.camera, MARGIN, MARGIN), MARGIN, now);
    drawBoxes(paint, () => drawWires(paint));
    this.baseCamera = this.camera;
    this.baseTime = paint.time;
    this.baseStale = !!paint.moving;
    this.baseMs = performance.now() - begin;
    if (!paint.moving) this.move = null;
  }

  /** Draws again what looks different at the present time. */
  private drawChanges(scene: Scene, now: number): void {
    const { time } = this.look();
    if (time === this.baseTime) return;
    const camera = pan(this.baseCamera, MARGIN, MARGIN);
    const whole: Rect = { x: 0, y: 0, w: this.size.w + 2 * MARGIN, h: this.size.h + 2 * MARGIN };
    const areas = dirtyAreas(scene, this.baseTime, time, OVERHANG / camera.z)?.flatMap((area) => this.onPixels(toScreen(camera, area), whole));
    if (!areas || areas.reduce((sum, r) => sum + r.w * r.h, 0) > MOST_DIRTY * whole.w * whole.h) {
      this.drawBase(scene, now);
      return;
    }
    const c = this.baseContext;
    for (const r of areas) {
      c.setTransform(this.scale, 0, 0, this.scale, 0, 0);
      c.save();
      c.beginPath();
      c.rect(r.x, r.y, r.w, r.h);
      c.clip();
      c.clearRect(r.x, r.y, r.w, r.h);
      // What is near enough to reach into the area is drawn too; the camera is that of a view which begins there.
      const x = r.x - OVERHANG, y = r.y - OVERHANG;
      c.translate(x, y);
      const paint: Paint = { ...this.paint(c, scene, pan(camera, -x, -y), 0, now), view: { w: r.w + 2 * OVERHANG, h: r.h + 2 * OVERHANG } };
      drawBoxes(paint, () => drawWires(paint));
      c.restore();
    }
    this.baseTime = time;
  }

  /** The part of `r` within `whole`, on the borders of pixels; none when it is empty. */
  private onPixels(r: Rect, whole: Rect): Rect[] {
    const { scale } = this;
    const x = Math.max(whole.x, Math.floor(r.x * scale) / scale), y = Math.max(whole.y, Math.floor(r.y * scale) / scale);
    const w = Math.min(whole.w, Math.ceil((r.x + r.w) * scale) / scale) - x, h = Math.min(whole.h, Math.ceil((r.y + r.h) * scale) / scale) - y;
    return w > 0 && h > 0 ? [{ x, y, w, h }] : [];
  }

  /** Whether the cached drawing covers what the camera shows, at the camera's zoom. */
  private covers(): boolean {
    const { camera: a, baseCamera: b } = this;
    return a.z === b.z && Math.abs(a.x - b.x) * a.z <= MARGIN && Math.abs(a.y - b.y) * a.z <= MARGIN;
  }

  private draw(now: number): void {
    const { context: c, scene, camera, size, scale } = this;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!scene || !size.w) return;
    if (this.baseStale || (!this.covers() && (camera.z === this.baseCamera.z || this.baseMs < SLOW_MS))) this.drawBase(scene, now);
    else this.drawChanges(scene, now);
    const b = this.baseCamera;
    const zoom = camera.z / b.z;
    // Whole pixels, so that the cached drawing stays crisp while it moves.
    const x = Math.round(((b.x - camera.x) * camera.z - MARGIN * zoom) * scale), y = Math.round(((b.y - camera.y) * camera.z - MARGIN * zoom) * scale);
    if (zoom === 1) c.drawImage(this.base, x, y);
    else c.drawImage(this.base, x, y, this.base.width * zoom, this.base.height * zoom);
    c.setTransform(scale, 0, 0, scale, 0, 0);
    drawOverlay(this.paint(c, scene, camera, 0, now), { ...this.overlay(), phase: (now / 40) % 16 });
    if (this.baseStale || now < this.flowUntil) this.schedule();
  }
}
