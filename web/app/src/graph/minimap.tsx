// minimap.tsx - the whole drawing in a corner, and the part of it that is in sight; shown when not everything is.
import { useEffect, useRef } from 'preact/hooks';
import { app, useApp } from '../state';
import { useStore, watch } from '../store';
import { getPalette, onPalette } from './palette';
import type { Scene } from './scene';
import { setCamera, viewState, type ViewState } from './viewstate';

const MOST_W = 168, MOST_H = 132;

const scaleOf = (scene: Scene): number => Math.min(MOST_W / scene.layout.width, MOST_H / scene.layout.height);

/** Whether a part of the drawing is out of sight. */
const partial = ({ scene, camera, size }: ViewState): boolean =>
  scene !== null && (camera.x > 1 || camera.y > 1 || camera.x + size.w / camera.z < scene.layout.width - 1 || camera.y + size.h / camera.z < scene.layout.height - 1);

function drawBoxes(canvas: HTMLCanvasElement, scene: Scene, time: number): void {
  const scale = scaleOf(scene), { css } = getPalette();
  const dpr = devicePixelRatio;
  canvas.width = Math.ceil(scene.layout.width * scale * dpr);
  canvas.height = Math.ceil(scene.layout.height * scale * dpr);
  const c = canvas.getContext('2d')!;
  c.setTransform(scale * dpr, 0, 0, scale * dpr, 0, 0);
  scene.layout.boxes.forEach((box, i) => {
    const grad = scene.ruleFirst[i]! < time;
    c.fillStyle = box.kind === 'frame' ? css.sunken : box.kind === 'tensor' ? css.optim : grad ? css.backward : scene.runFirst[i]! < time ? css.forward : css['line-2'];
    c.fillRect(box.x, box.y, box.w, box.h);
  });
}

export function Minimap() {
  const wanted = useApp((s) => s.settings.minimap);
  const shown = useStore(viewState, partial);
  const scene = useStore(viewState, (v) => v.scene);
  return wanted && shown && scene ? <Map scene={scene} /> : null;
}

function Map({ scene }: { scene: Scene }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const camera = useStore(viewState, (v) => v.camera);
  const size = useStore(viewState, (v) => v.size);
  useEffect(() => {
    let frame = 0;
    const schedule = (): void => { frame ||= requestAnimationFrame(() => { frame = 0; drawBoxes(canvas.current!, scene, app.get().time); }); };
    schedule();
    const stops = [watch(app, (s) => s.time, schedule), onPalette(schedule)];
    return () => { cancelAnimationFrame(frame); stops.forEach((stop) => stop()); };
  }, [scene]);
  const scale = scaleOf(scene);
  const w = scene.layout.width * scale, h = scene.layout.height * scale;
  const x = Math.max(0, camera.x * scale), y = Math.max(0, camera.y * scale);
  const goTo = (e: PointerEvent): void => {
    if (e.type === 'pointerdown') (e.currentTarget as Element).setPointerCapture(e.pointerId);
    else if (!(e.buttons & 1)) return;
    const r = canvas.current!.getBoundingClientRect();
    setCamera({ ...camera, x: (e.clientX - r.left) / scale - size.w / camera.z / 2, y: (e.clientY - r.top) / scale - size.h / camera.z / 2 });
  };
  return (
    <div class="card minimap" style={{ width: `${w + 8}px`, height: `${h + 8}px` }} onPointerDown={goTo} onPointerMove={goTo} aria-hidden="true" data-testid="minimap">
      <canvas ref={canvas} style={{ width: `${w}px`, height: `${h}px` }} />
      <div class="minimap-view" style={{ left: `${4 + x}px`, top: `${4 + y}px`, width: `${Math.min(w - x, (size.w / camera.z) * scale)}px`, height: `${Math.min(h - y, (size.h / camera.z) * scale)}px` }} />
    </div>
  );
}
