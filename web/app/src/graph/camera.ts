// camera.ts - which part of the drawing the canvas shows: screen = (world - (x, y)) * z. Plain values; nothing here draws.
import type { Rect } from './grid';

export interface Camera { x: number; y: number; z: number }
export interface Size { w: number; h: number }

export const LEAST_ZOOM = 0.02, MOST_ZOOM = 8;
const clampZoom = (z: number): number => Math.max(LEAST_ZOOM, Math.min(MOST_ZOOM, z));

export const toScreen = (c: Camera, r: Rect): Rect => ({ x: (r.x - c.x) * c.z, y: (r.y - c.y) * c.z, w: r.w * c.z, h: r.h * c.z });
export const toWorld = (c: Camera, x: number, y: number): { x: number; y: number } => ({ x: x / c.z + c.x, y: y / c.z + c.y });
export const visible = (c: Camera, view: Size): Rect => ({ x: c.x, y: c.y, w: view.w / c.z, h: view.h / c.z });

/** Shows all of `area`, in the middle, at most `most` times enlarged. */
export function fit(area: Rect, view: Size, most = 1.25, margin = 28): Camera {
  const z = clampZoom(Math.min(most, Math.max(1, view.w - 2 * margin) / Math.max(1, area.w), Math.max(1, view.h - 2 * margin) / Math.max(1, area.h)));
  return { x: area.x + area.w / 2 - view.w / z / 2, y: area.y + area.h / 2 - view.h / z / 2, z };
}

/** Zooms so that the point under (x, y) of the screen stays there. */
export function zoomAt(c: Camera, factor: number, x: number, y: number): Camera {
  const z = clampZoom(c.z * factor);
  const at = toWorld(c, x, y);
  return { x: at.x - x / z, y: at.y - y / z, z };
}

export const pan = (c: Camera, dx: number, dy: number): Camera => ({ ...c, x: c.x - dx / c.z, y: c.y - dy / c.z });

/** Moves as little as it takes to show `area` with room around it, at a readable size. */
export function reveal(c: Camera, area: Rect, view: Size): Camera {
  const z = c.z < 0.6 ? 1 : c.z;
  const room = 60 / z;
  const whole = area.w + 2 * room <= view.w / z && area.h + 2 * room <= view.h / z;
  if (z !== c.z || !whole) return { x: area.x + area.w / 2 - view.w / z / 2, y: area.y + area.h / 2 - view.h / z / 2, z };
  const x = Math.min(area.x - room, Math.max(c.x, area.x + area.w + room - view.w / z));
  const y = Math.min(area.y - room, Math.max(c.y, area.y + area.h + room - view.h / z));
  return { x, y, z };
}

export const between = (a: Camera, b: Camera, share: number): Camera => {
  const z = a.z * (b.z / a.z) ** share;
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share, z };
};

/** Keeps a corner of the drawing in sight. */
export function keepInSight(c: Camera, drawing: Size, view: Size): Camera {
  const room = 80 / c.z;
  return {
    x: Math.max(room - view.w / c.z, Math.min(drawing.w - room, c.x)),
    y: Math.max(room - view.h / c.z, Math.min(drawing.h - room, c.y)),
    z: c.z,
  };
}
