// viewstate.ts - where the camera is, shared by the canvas, the minimap, the keys and links; and the ways to move it.
import { app, type Ref } from '../state';
import { createStore } from '../store';
import { between, type Camera, fit, keepInSight, pan, reveal, type Size, zoomAt } from './camera';
import { boxOf, type Scene } from './scene';

export interface ViewState {
  camera: Camera; size: Size; scene: Scene | null;
  /** The person has moved the camera; until then it shows everything. */
  moved: boolean;
  /** The edge under the pointer, while edges show gradients, and where the pointer is. */
  wire: { index: number; x: number; y: number } | null;
}

export const viewState = createStore<ViewState>({ camera: { x: 0, y: 0, z: 1 }, size: { w: 0, h: 0 }, scene: null, moved: false, wire: null });

export const calm = (): boolean => globalThis.matchMedia?.('(prefers-reduced-motion: reduce)').matches ?? false;

const FLIGHT_MS = 220;
let flight = 0;

export function setCamera(camera: Camera): void {
  const { size, scene } = viewState.get();
  flight++;
  viewState.set({ camera: scene ? keepInSight(camera, { w: scene.layout.width, h: scene.layout.height }, size) : camera, moved: true });
}

/** Moves there smoothly (at once when the person wants no motion). */
export function flyTo(target: Camera, moved = true): void {
  const from = viewState.get().camera;
  const mine = ++flight;
  if (calm()) {
    viewState.set({ camera: target, moved });
    return;
  }
  const begin = performance.now();
  const tick = (now: number): void => {
    if (mine !== flight) return;
    const share = Math.min(1, Math.max(0, (now - begin) / FLIGHT_MS));
    viewState.set({ camera: between(from, target, 1 - (1 - share) ** 3), moved });
    if (share < 1) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

const drawing = (scene: Scene) => ({ x: 0, y: 0, w: scene.layout.width, h: scene.layout.height });

/** The camera that shows everything. */
export const fitting = (scene: Scene, size: Size): Camera => fit(drawing(scene), size, 1.4);

export function fitAll(): void {
  const { scene, size } = viewState.get();
  if (scene) flyTo(fitting(scene, size), false);
}

export function zoomBy(factor: number): void {
  const { camera, size } = viewState.get();
  flyTo(zoomAt(camera, factor, size.w / 2, size.h / 2));
}

export function panBy(dx: number, dy: number): void {
  setCamera(pan(viewState.get().camera, dx, dy));
}

/** Brings what `ref` is drawn as into sight. */
export function lookAt(ref: Ref): void {
  const { scene, camera, size } = viewState.get();
  const box = scene ? boxOf(scene, ref) : -1;
  if (scene && box >= 0) flyTo(reveal(camera, scene.layout.boxes[box]!, size));
}

export const lookAtSelection = (): void => {
  const { selection } = app.get();
  if (selection) lookAt(selection);
};
