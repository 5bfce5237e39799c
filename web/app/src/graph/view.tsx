// view.tsx - the graph: the canvas, kept in step with the page's state, and what floats over it.
import { useEffect, useRef } from 'preact/hooks';
import { app, useApp } from '../state';
import { useStore, watch } from '../store';
import { Button } from '../ui/button';
import { reveal, visible } from './camera';
import { holds } from './grid';
import { Legends } from './legend';
import { Minimap } from './minimap';
import { anchored } from './moving';
import { getPalette, onPalette } from './palette';
import { listenToPointers } from './pointer';
import { Renderer } from './renderer';
import { makeScene, withTrace } from './scene';
import { HoverTip } from './tip';
import { Toolbar } from './toolbar';
import { fitting, flyTo, viewState } from './viewstate';

/** Makes the scene that belongs to the state's layout and trace, and moves the camera with it. */
function updateScene(renderer: Renderer): void {
  const { layout, trace } = app.get();
  const { scene: before, camera, size, moved } = viewState.get();
  if (!layout || !trace) {
    // A layout under way leaves the old picture until the new one is there.
    if (!trace) { viewState.set({ scene: null, moved: false }); renderer.setScene(null, false); }
    return;
  }
  if (before?.layout === layout && before.trace === trace) return;
  if (before?.layout === layout) {
    const scene = withTrace(before, trace);
    viewState.set({ scene });
    renderer.setScene(scene, false);
    return;
  }
  const scene = makeScene(trace, layout);
  const same = before !== null && before.trace.nodes.length === trace.nodes.length;
  viewState.set({ scene, camera: same && moved ? anchored(camera, before, scene) : fitting(scene, size), moved: same && moved });
  renderer.setScene(scene, same);
}

/** Brings what event `time` - 1 is about back into sight, once the person has looked closer. */
function follow(time: number): void {
  const { trace } = app.get();
  const event = trace?.events[time - 1];
  const { scene, camera, size, moved } = viewState.get();
  if (!event || !scene || !moved) return;
  const box = scene.layout.boxes[event.node >= 0 ? scene.boxOfNode[event.node]! : scene.boxOfTensor[event.tensor] ?? -1];
  if (box && !holds(visible(camera, size), box)) flyTo(reveal(camera, box, size));
}

function attach(canvas: HTMLCanvasElement): () => void {
  const renderer = new Renderer(canvas,
    () => {
      const { time, settings, lineage, diff } = app.get();
      return { time, flow: settings.flow, right: settings.right, lineage, diff, palette: getPalette() };
    },
    () => {
      const { selection, hover, found } = app.get();
      return { selection, hover, found };
    });
  const resize = new ResizeObserver(() => {
    const { clientWidth: w, clientHeight: h } = canvas;
    const { scene, moved } = viewState.get();
    viewState.set({ size: { w, h }, ...(scene && !moved ? { camera: fitting(scene, { w, h }) } : {}) });
    renderer.resize(w, h, devicePixelRatio);
  });
  resize.observe(canvas);
  const stops = [
    watch(viewState, (v) => v.camera, (camera) => renderer.setCamera(camera)),
    watch(app, (s) => s.layout, () => updateScene(renderer)),
    watch(app, (s) => s.trace, () => updateScene(renderer)),
    watch(app, (s) => s.time, (time, before) => {
      renderer.flow();
      if (app.get().playing || Math.abs(time - before) === 1) follow(time);
    }),
    watch(app, (s) => s.lineage, () => renderer.redraw()),
    watch(app, (s) => s.diff, () => renderer.redraw()),
    watch(app, (s) => s.settings.flow, () => renderer.redraw()),
    watch(app, (s) => s.selection, () => renderer.schedule()),
    watch(app, (s) => s.hover, () => renderer.schedule()),
    watch(app, (s) => s.found, () => renderer.schedule()),
    onPalette(() => renderer.redraw()),
    listenToPointers(canvas),
  ];
  updateScene(renderer);
  return () => {
    resize.disconnect();
    stops.forEach((stop) => stop());
    renderer.close();
  };
}

/** What stands where the graph will be. */
function Placeholder() {
  const state = useApp((s) => s.engine);
  const failure = useApp((s) => s.failure);
  if (state === 'failed') {
    return (
      <div class="placeholder" role="alert">
        <h2>The model could not be started.</h2>
        <p>{failure?.message}</p>
        <Button label="Try again" icon="restart" tone="plain" onClick={() => location.reload()}>Try again</Button>
      </div>
    );
  }
  return <div class="placeholder" role="status"><span class="wave" aria-hidden="true" />{state === 'starting' ? 'Starting the engine' : 'Drawing the graph'}</div>;
}

export function GraphView() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const empty = useStore(viewState, (v) => v.scene === null);
  const name = useApp((s) => s.model.name);
  useEffect(() => attach(canvas.current!), []);
  return (
    <>
      <canvas ref={canvas} class="graph" tabIndex={0} role="application" aria-label={`Graph of ${name || 'the model'}. The Outline panel has the same as a list.`}
        aria-busy={empty} data-testid="graph" />
      {empty && <Placeholder />}
      <Toolbar />
      <Legends />
      <Minimap />
      <HoverTip />
    </>
  );
}
