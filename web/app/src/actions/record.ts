// record.ts - recorded steps: making one, choosing among them, and the layout of the one that is shown.
//
// The engine lays out the trace it recorded or opened last; `shown` remembers which file that is, so that another one is opened first.
import { GROUP_OPEN, GROUP_UNFOLDED, type Trace } from '@engine/protocol';
import { getEngine } from '../engine';
import { getPalette } from '../graph/palette';
import { letterWidth } from '../graph/text';
import { app, type Frame, type Ref, type State } from '../state';
import { notifyFailure } from './notices';
import { takeSteps } from './training';

/** Records that are kept to go back to. */
const MOST_FRAMES = 50;

let shown: ArrayBuffer | null = null;
let lastRefresh = 0;
let refreshCost = 0;

/** Same ops, tensors and groups in the same places: drawing and selection of one are the other's. */
export function sameGraph(a: Trace | null, b: Trace | null): boolean {
  if (!a || !b) return false;
  if (a === b) return true;
  return a.nodes.length === b.nodes.length && a.tensors.length === b.tensors.length && a.groups.length === b.groups.length &&
    a.nodes.every((node, i) => node.op === b.nodes[i]!.op && node.input === b.nodes[i]!.input && node.group === b.nodes[i]!.group) &&
    a.tensors.every((tensor, i) => tensor.shape.join() === b.tensors[i]!.shape.join());
}

const exists = (trace: Trace, ref: Ref | null): Ref | null =>
  ref && ref.id < (ref.kind === 'node' ? trace.nodes : ref.kind === 'tensor' ? trace.tensors : trace.groups).length ? ref : null;

/** What changes when `frames[frame]` becomes the one that is shown. */
function showing(frames: Frame[], frame: number, previous: Trace | null): Partial<State> {
  const s = app.get();
  const trace = frames[frame]?.trace ?? null;
  if (!trace) return { frames, frame: -1, trace: null, previous: null, layout: null, open: null, time: 0, selection: null, hover: null, lineage: null, diff: null, found: [] };
  const same = sameGraph(s.trace, trace);
  return {
    frames, frame, trace, previous,
    layout: same ? s.layout : null, open: same ? s.open : null,
    time: trace.events.length, playing: false,
    selection: exists(trace, s.selection), hover: exists(trace, s.hover),
  };
}

/** Makes the layout of the trace that is shown, with these groups open (default: what is best to see first). */
async function relayout(open: Uint8Array | null): Promise<void> {
  const { frames, frame, trace, settings } = app.get();
  const current = frames[frame];
  if (!current || !trace) return;
  const { engine } = await getEngine();
  if (shown !== current.file) {
    await engine.call('openTrace', { file: current.file.slice(0) });
    shown = current.file;
  }
  const layout = await engine.call('layout', { frame: current.index, right: settings.right, charWidth: letterWidth(getPalette().font), ...(open ? { open } : {}) });
  if (sameGraph(app.get().trace, trace)) app.set({ layout, open: layout.open });
}

async function makeRecord(keep: boolean): Promise<void> {
  const { engine, decode } = await getEngine();
  const { generation } = engine;
  const { file, steps } = await engine.call('record', {});
  if (generation !== engine.generation) return;
  shown = file;
  const s = app.get();
  const trace = decode(file, 0);
  const older = s.frames.map((f) => (f.live ? { ...f, live: false } : f));
  const kept = keep ? older : older.slice(0, -1);
  const frames = [...kept.slice(-(MOST_FRAMES - 1)), { file, index: 0, trace, live: true }];
  const previous = keep ? s.trace : s.previous;
  app.set(showing(frames, frames.length - 1, sameGraph(previous, trace) ? previous : null));
  takeSteps(steps);
  if (!app.get().layout) await relayout(null);
}

let recording: Promise<void> | null = null;

/** Does one training step under the recorder and shows it; while that is under way, the same one. */
export function record(): Promise<void> {
  recording ??= (async () => {
    app.set({ recording: true });
    try {
      await makeRecord(true);
    } catch (e) {
      notifyFailure(e, 'Recording the step');
    } finally {
      recording = null;
      app.set({ recording: false });
    }
  })();
  return recording;
}

/** Renews the last record while training, at most about once a second and for at most a tenth of the time. */
export async function refreshRecord(): Promise<void> {
  const now = performance.now();
  if (now - lastRefresh < Math.max(700, 10 * refreshCost)) return;
  await makeRecord(false);
  lastRefresh = performance.now();
  refreshCost = lastRefresh - now;
}

/** Shows another of the records; the one before it in the row is what it is compared with. */
export async function showFrame(frame: number): Promise<void> {
  const { frames } = app.get();
  if (!frames[frame]) return;
  const before = frames[frame - 1]?.trace ?? null;
  app.set({ ...showing(frames, frame, sameGraph(before, frames[frame].trace) ? before : null), mode: 'inspecting' });
  if (app.get().layout) return;
  try {
    await relayout(null);
  } catch (e) {
    notifyFailure(e, 'Drawing the graph');
  }
}

/** Shows the frames of a trace file. -> whether that could be done. */
export async function openTraceFile(file: ArrayBuffer): Promise<boolean> {
  try {
    const { engine, decode } = await getEngine();
    const { frames: n } = await engine.call('openTrace', { file: file.slice(0) });
    const frames = Array.from({ length: n }, (_, index): Frame => ({ file, index, trace: decode(file, index), live: false }));
    shown = file;
    app.set({ ...showing(frames, 0, null), mode: 'inspecting' });
    await relayout(null);
    return true;
  } catch (e) {
    notifyFailure(e, 'Opening the trace file');
    return false;
  }
}

async function setGroup(change: (open: Uint8Array) => void): Promise<void> {
  const { open, trace } = app.get();
  if (!trace) return;
  const next = open ? open.slice() : new Uint8Array(trace.groups.length);
  change(next);
  try {
    await relayout(next);
  } catch (e) {
    notifyFailure(e, 'Drawing the graph');
  }
}

/** Opens a closed group, closes an open one. */
export const toggleGroup = (id: number): Promise<void> => setGroup((open) => { open[id]! ^= GROUP_OPEN; });

/** Shows all rounds of a repeat, or folds them into one box xN. */
export const toggleTwins = (id: number): Promise<void> =>
  setGroup((open) => { open[app.get().trace!.groups[id]!.twin]! ^= GROUP_UNFOLDED; });

export const openAllGroups = (): Promise<void> => setGroup((open) => { open.forEach((o, i) => { open[i] = o | GROUP_OPEN; }); });
export const closeAllGroups = (): Promise<void> => setGroup((open) => { open.fill(0); });

/** Draws from left to right, or from top to bottom. */
export async function setDirection(right: boolean): Promise<void> {
  const { settings, open } = app.get();
  app.set({ settings: { ...settings, right } });
  if (open) await setGroup(() => undefined);
}

/** Opens every closed group around a thing. */
export async function openAround(ref: Ref): Promise<void> {
  const { trace, open } = app.get();
  if (!trace || !open) return;
  const node = ref.kind === 'node' ? ref.id : ref.kind === 'tensor' ? trace.tensors[ref.id]!.node : -1;
  const closed: number[] = [];
  const unfold: number[] = [];
  for (let g = ref.kind === 'group' ? trace.groups[ref.id]!.parent : trace.nodes[node]?.group ?? -1; g >= 0; g = trace.groups[g]!.parent) {
    const { twin } = trace.groups[g]!;
    if (!(open[g]! & GROUP_OPEN)) closed.push(g);
    if (twin !== g && !(open[twin]! & GROUP_UNFOLDED)) unfold.push(twin);
  }
  if (!closed.length && !unfold.length) return;
  await setGroup((o) => {
    for (const g of closed) o[g]! |= GROUP_OPEN;
    for (const g of unfold) o[g]! |= GROUP_UNFOLDED;
  });
}
