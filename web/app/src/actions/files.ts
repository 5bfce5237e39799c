// files.ts - links, trace files and pictures: what comes into the page from outside, and what leaves it.
import { getEngine } from '../engine';
import { drawPng } from '../graph/png';
import { viewState } from '../graph/viewstate';
import { decodeLink, encodeLink, type Link, LinkError } from '../permalink';
import { app } from '../state';
import { loadModel } from './model';
import { notify, notifyFailure } from './notices';
import { openTraceFile } from './record';
import { setSettings } from './settings';
import { pause } from './training';

export const TRACE_ENDING = '.ebbtrace';

function download(name: string, data: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([data], { type }));
  const a = document.createElement('a');
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const fileName = (ending: string): string => `${app.get().model.name.replace(/[^\w.-]+/g, '-') || 'model'}-step-${app.get().trace?.step ?? 0}${ending}`;

/** Saves every record there is as one trace file. */
export async function saveTrace(): Promise<void> {
  const files = [...new Set(app.get().frames.map((f) => f.file))];
  if (!files.length) return;
  try {
    const { engine } = await getEngine();
    const file = files.length === 1 ? files[0]! : (await engine.call('joinTraces', { files: files.map((f) => f.slice(0)) })).file;
    download(fileName(TRACE_ENDING), file, 'application/octet-stream');
  } catch (e) {
    notifyFailure(e, 'Saving the trace');
  }
}

/** Shows the steps of a trace file, and offers the model they are of. */
export async function openTrace(file: File): Promise<void> {
  await pause();
  if (!(await openTraceFile(await file.arrayBuffer()))) return;
  const { frames, trace, model } = app.get();
  const text = trace?.model ?? '';
  const name = file.name.replace(/\.[^.]*$/, '');
  notify({
    tone: 'good', text: `${file.name}: ${frames.length} recorded ${frames.length === 1 ? 'step' : 'steps'}${trace?.about ? `, by ${trace.about}` : ''}.`,
    ...(text && text !== model.text ? { sticky: true, action: { label: 'Load its model', run: () => void loadModel(text, { name }) } } : {}),
  });
}

export async function saveSvg(): Promise<void> {
  const { open, settings, frames, frame } = app.get();
  try {
    const { engine } = await getEngine();
    const { text } = await engine.call('svg', { frame: frames[frame]?.index ?? 0, right: settings.right, ...(open ? { open } : {}) });
    download(fileName('.svg'), text, 'image/svg+xml');
  } catch (e) {
    notifyFailure(e, 'Making the SVG');
  }
}

export async function savePng(): Promise<void> {
  try {
    const png = await drawPng();
    if (png) download(fileName('.png'), png, 'image/png');
  } catch (e) {
    notifyFailure(e, 'Making the picture');
  }
}

/** The address of what is shown now. */
export async function linkToHere(): Promise<string> {
  const { model, settings, mode, trace, time } = app.get();
  const { camera, moved } = viewState.get();
  const round = (v: number): number => Math.round(v * 100) / 100;
  const link: Link = { name: model.name, text: model.text, flow: settings.flow, right: settings.right };
  if (mode === 'inspecting' && trace) Object.assign(link, { step: trace.step, time });
  if (moved) link.camera = { x: round(camera.x), y: round(camera.y), z: round(camera.z) };
  return location.href.replace(/#.*$/, '') + (await encodeLink(link));
}

/** Shows what a hash links to. -> false: it holds nothing (a notice says why, unless there is no hash). */
export async function openLink(hash: string): Promise<boolean> {
  let link: Link | null;
  try {
    link = await decodeLink(hash);
  } catch (e) {
    const why = e instanceof LinkError ? e.message : 'the link is damaged';
    notify({ tone: 'warning', text: `The link could not be opened: ${why}.`, hint: 'This is the model the page begins with.', sticky: true });
    return false;
  }
  if (!link) return false;
  if (link.flow !== undefined) setSettings({ flow: link.flow });
  if (link.right !== undefined) setSettings({ right: link.right });
  const problem = await loadModel(link.text, { name: link.name, ...(link.step ? { step: link.step } : {}) });
  if (problem) {
    notify({ tone: 'warning', text: `The model in the link has a problem: ${problem.message}`, hint: problem.hint || 'This is the model the page begins with.', sticky: true });
    return false;
  }
  const { trace } = app.get();
  if (link.step && trace) app.set({ mode: 'inspecting', time: Math.min(link.time ?? 0, trace.events.length) });
  if (link.camera) viewState.set({ camera: link.camera, moved: true });
  return true;
}
