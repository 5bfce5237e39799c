// png.ts - the drawing as a picture: all of it, twice its size, as large as pictures may safely be.
import { app } from '../state';
import { drawBoxes } from './boxes';
import type { Paint } from './paint';
import { getPalette } from './palette';
import { viewState } from './viewstate';
import { drawWires } from './wires';

const SCALE = 2, MOST_SIDE = 8192, PAD = 16;

export async function drawPng(): Promise<Blob | null> {
  const { scene } = viewState.get();
  if (!scene) return null;
  const w = scene.layout.width + 2 * PAD, h = scene.layout.height + 2 * PAD;
  const zoom = Math.min(SCALE, MOST_SIDE / w, MOST_SIDE / h);
  const canvas = document.createElement('canvas');
  canvas.width = Math.ceil(w * zoom);
  canvas.height = Math.ceil(h * zoom);
  const context = canvas.getContext('2d')!;
  const palette = getPalette();
  context.fillStyle = palette.css.canvas;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const { time, settings, lineage, diff } = app.get();
  const paint: Paint = {
    context, scene, palette, time, lineage, diff, flow: settings.flow, right: settings.right, moving: null,
    camera: { x: -PAD, y: -PAD, z: zoom }, view: { w: canvas.width, h: canvas.height },
  };
  drawBoxes(paint, () => drawWires(paint));
  return new Promise((done) => canvas.toBlob(done, 'image/png'));
}
