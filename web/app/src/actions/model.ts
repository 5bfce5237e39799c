// model.ts - loading a model's text, and starting it over.
import type { EngineFailure, Problem } from '@engine/protocol';
import { emptyCurves } from '../curves';
import { getEngine, threadsFor } from '../engine';
import { app, type State } from '../state';
import { failureOf, notify, notifyFailure } from './notices';
import { pause, play, takeSteps } from './training';
import { record } from './record';
import { setSettings } from './settings';

/** ms of work at a time while the page waits for a certain step. */
const SLICE_MS = 100;

/** What a state without any record holds. */
const noTrace = { frames: [], frame: -1, trace: null, previous: null, layout: null, open: null, time: 0, playing: false, selection: null, hover: null, found: [], lineage: null, diff: null } satisfies Partial<State>;

export interface LoadOptions {
  name?: string; seed?: number;
  /** false: only shows the first step. */
  train?: boolean;
  /** Trains up to this step and shows it. */
  step?: number;
}

/**
 * Reads a model, shows its first step and (unless told otherwise) trains it. -> the problem in the text, if there is one: the model that was
 * there stays then.
 */
export async function loadModel(text: string, options: LoadOptions = {}): Promise<Problem | null> {
  const before = app.get().model;
  await pause();
  try {
    const { engine } = await getEngine();
    const answer = await engine.call('load', options.seed === undefined ? { text } : { text, seed: options.seed });
    if (answer.problem) {
      app.set({ model: { ...before, problem: answer.problem } });
      return answer.problem;
    }
    const info = answer.info!;
    app.set({
      ...noTrace, engine: 'ready', failure: null, mode: 'paused',
      model: { name: options.name ?? before.name, text, info, problem: null },
      curves: emptyCurves(info.metrics.length), curvesVersion: app.get().curvesVersion + 1, stepsDone: 0, loss: NaN,
    });
    if (options.step) await trainTo(options.step - 1);
    await record();
    if (info.trains && options.train !== false && !options.step && app.get().mode === 'paused') play();
    return null;
  } catch (e) {
    const failure = failureOf(e);
    if (app.get().model.info) notifyFailure(e, 'Loading the model');
    else app.set({ engine: 'failed', failure });
    return failure.problem ?? null;
  }
}

/** Trains until `steps` are done, in slices, so that the page shows how far it is. */
async function trainTo(steps: number): Promise<void> {
  const { engine } = await getEngine();
  while (app.get().stepsDone < steps) {
    const done = await engine.call('train', { ms: SLICE_MS, most: steps - app.get().stepsDone });
    takeSteps(done);
    if (done.stopped || !done.step.length || done.generation !== engine.generation) return;
  }
}

/** Parameters, optimizer and data as just after loading; curves are cleared. */
export async function restart(): Promise<void> {
  const { info } = app.get().model;
  if (!info) return;
  const wasTraining = app.get().mode === 'training';
  await pause();
  try {
    const { engine } = await getEngine();
    await engine.call('restart', {});
    app.set({ curves: emptyCurves(info.metrics.length), curvesVersion: app.get().curvesVersion + 1, stepsDone: 0, loss: NaN, frames: [], frame: -1, previous: null });
    await record();
    if (wasTraining) play();
  } catch (e) {
    notifyFailure(e, 'Starting over');
  }
}

/** Large models on all cores, or everything on one thread. The model that is there starts over when it is one that this concerns. */
export async function setThreads(threads: boolean): Promise<void> {
  const { model: { info, name, text }, mode } = app.get();
  const before = info ? threadsFor(info) : 1;
  setSettings({ threads });
  if (info && threadsFor(info) !== before) await loadModel(text, { name, train: mode === 'training' });
}

/** The engine was started again (Engine.onRestart): the model is the same, but it begins from its first step; records stay, without their tensors. */
export function engineRestarted(why: EngineFailure): void {
  const { model, frames, curvesVersion } = app.get();
  app.set({
    mode: 'paused', playing: false, recording: false, frames: frames.map((f) => ({ ...f, live: false })),
    curves: emptyCurves(model.info?.metrics.length ?? 0), curvesVersion: curvesVersion + 1, stepsDone: 0, loss: NaN,
  });
  notify({ tone: 'warning', text: 'The engine was started again; training begins anew.', hint: why.message, sticky: true, action: { label: 'Train', run: play } });
}
