// pointer.ts - mouse, pen and fingers on the canvas: pan, zoom, pinch, hover, select, open and close.
import { app, type Ref } from '../state';
import { hover, selectAndShow, toggleGroup } from '../actions';
import { pan, toWorld, zoomAt } from './camera';
import { hit, refOf } from './scene';
import { setCamera, viewState } from './viewstate';
import { hitWire } from './wires';

interface Finger { x: number; y: number }

/** A press that moved less than this (px) is a click. */
const CLICK_PX = 5;
const DOUBLE_MS = 350;

export function listenToPointers(canvas: HTMLCanvasElement): () => void {
  const fingers = new Map<number, Finger>();
  let travelled = 0;
  let lastClick = { at: 0, ref: null as Ref | null };

  const at = (e: { clientX: number; clientY: number }): Finger => {
    const r = canvas.getBoundingClientRect();
    return { x: e.clientX - r.left, y: e.clientY - r.top };
  };
  const under = (p: Finger, slack: number): Ref | null => {
    const { scene, camera } = viewState.get();
    if (!scene) return null;
    const world = toWorld(camera, p.x, p.y);
    const box = hit(scene, world.x, world.y, slack / camera.z);
    return box < 0 ? null : refOf(scene.layout.boxes[box]!);
  };
  const spread = (): { x: number; y: number; d: number } => {
    const [a, b] = [...fingers.values()] as [Finger, Finger];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, d: Math.hypot(a.x - b.x, a.y - b.y) };
  };

  /** Hovers the box under the pointer, or the edge while edges show gradients. */
  const point = (p: Finger): void => {
    const ref = under(p, 1);
    hover(ref);
    const { scene, camera, wire } = viewState.get();
    const { flow, right } = app.get().settings;
    const index = flow && !ref && scene ? hitWire({ scene, camera, right }, canvas.getContext('2d')!, p.x, p.y, 5) : -1;
    if (index >= 0) viewState.set({ wire: { index, ...p } });
    else if (wire) viewState.set({ wire: null });
  };
  const down = (e: PointerEvent): void => {
    if (e.button > 1) return;
    canvas.setPointerCapture(e.pointerId);
    fingers.set(e.pointerId, at(e));
    if (fingers.size === 1) travelled = 0;
  };
  const moveTo = (e: PointerEvent): void => {
    const p = at(e);
    const before = fingers.get(e.pointerId);
    if (!before) {
      if (e.pointerType !== 'touch') point(p);
      return;
    }
    const { camera } = viewState.get();
    travelled += Math.hypot(p.x - before.x, p.y - before.y);
    if (fingers.size === 2) {
      const a = spread();
      fingers.set(e.pointerId, p);
      const b = spread();
      setCamera(zoomAt(pan(camera, b.x - a.x, b.y - a.y), b.d / Math.max(1, a.d), b.x, b.y));
      return;
    }
    fingers.set(e.pointerId, p);
    if (travelled > CLICK_PX) {
      canvas.classList.add('dragging');
      setCamera(pan(camera, p.x - before.x, p.y - before.y));
    }
  };
  const click = (e: PointerEvent): void => {
    const ref = under(at(e), e.pointerType === 'mouse' ? 1 : 8);
    const again = ref && lastClick.ref && ref.kind === lastClick.ref.kind && ref.id === lastClick.ref.id && e.timeStamp - lastClick.at < DOUBLE_MS;
    lastClick = { at: e.timeStamp, ref };
    selectAndShow(ref);
    if (again && ref.kind === 'group') void toggleGroup(ref.id);
    else if (again && ref.kind === 'node') closeAround(ref.id);
  };
  const up = (e: PointerEvent): void => {
    if (!fingers.delete(e.pointerId)) return;
    canvas.classList.remove('dragging');
    if (e.type === 'pointerup' && !fingers.size && travelled <= CLICK_PX) click(e);
  };
  const leave = (): void => {
    hover(null);
    viewState.set({ wire: null });
  };
  const wheel = (e: WheelEvent): void => {
    e.preventDefault();
    const p = at(e);
    const unit = e.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const { camera } = viewState.get();
    if (e.ctrlKey || e.metaKey) setCamera(zoomAt(camera, Math.exp(-e.deltaY * unit * 0.0022 * (Math.abs(e.deltaY) < 20 ? 4 : 1)), p.x, p.y));
    else setCamera(pan(camera, -(e.shiftKey ? e.deltaY : e.deltaX) * unit, e.shiftKey ? 0 : -e.deltaY * unit));
  };

  canvas.addEventListener('pointerdown', down);
  canvas.addEventListener('pointermove', moveTo);
  canvas.addEventListener('pointerup', up);
  canvas.addEventListener('pointercancel', up);
  canvas.addEventListener('pointerleave', leave);
  canvas.addEventListener('wheel', wheel, { passive: false });
  return () => {
    canvas.removeEventListener('pointerdown', down);
    canvas.removeEventListener('pointermove', moveTo);
    canvas.removeEventListener('pointerup', up);
    canvas.removeEventListener('pointercancel', up);
    canvas.removeEventListener('pointerleave', leave);
    canvas.removeEventListener('wheel', wheel);
  };
}

/** Closes the group around a node. */
export function closeAround(node: number): void {
  const { trace } = app.get();
  const group = trace?.nodes[node]?.group ?? -1;
  if (group >= 0) void toggleGroup(group);
}
