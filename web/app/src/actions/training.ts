// training.ts - the loop that trains while the page is in mode `training`: short slices in the worker, one after the other.
//
// Only one slice is under way at a time; `slice` is its promise, so that pause() can wait for it. While training, the graph's record is
// renewed now and then, as long as that costs little.
import { type Steps } from '@engine/protocol';
import { appendSteps } from '../curves';
import { getEngine } from '../engine';
import { app } from '../state';
import { notify, notifyFailure } from './notices';
import { record, refreshRecord } from './record';

/** ms of work a slice asks for: long enough to be efficient, short enough that a pause is felt at once. */
const SLICE_MS = 30;
/** Slices a second when the steps are to be slow. */
const SLOW_SLICES = 20;

let slice: Promise<void> | null = null;
/** Loops that were begun: an older one ends when there is a newer. */
let loops = 0;
/** After how many steps training ends by itself: those the model plans, unless they were done before it began. */
let goal = Infinity;
/** When the next slice may begin. */
let dueAt = 0;

/** Takes what the engine told of steps into the curves. */
export function takeSteps(steps: Steps): void {
  const s = app.get();
  if (!steps.step.length) return;
  appendSteps(s.curves, steps);
  const perSecond = steps.ms > 0 ? (1000 * steps.step.length) / steps.ms : s.stepsPerSecond;
  app.set({
    curvesVersion: s.curvesVersion + 1, stepsDone: steps.stepsDone, loss: steps.loss[steps.loss.length - 1]!,
    stepsPerSecond: s.stepsPerSecond ? 0.9 * s.stepsPerSecond + 0.1 * perSecond : perSecond,
  });
}

const nextFrame = (): Promise<void> =>
  new Promise((done) => (document.visibilityState === 'visible' ? requestAnimationFrame(() => done()) : setTimeout(done, 50)));

async function runSlice(ratios: boolean): Promise<void> {
  const { engine } = await getEngine();
  const { stepsDone, settings: { pace } } = app.get();
  // The last step of those planned is recorded.
  const left = goal - 1 - stepsDone;
  if (left <= 0) return finish();
  const few = Math.max(1, Math.round(pace / SLOW_SLICES));
  const most = Math.min(left, pace > 0 ? few : Infinity);
  const steps = await engine.call('train', { ratios, ...(pace > 0 ? {} : { ms: SLICE_MS }), ...(most < Infinity ? { most } : {}) });
  if (pace > 0) dueAt = performance.now() + (1000 * most) / pace - steps.ms;
  if (steps.generation !== engine.generation) return;
  takeSteps(steps);
  if (!steps.stopped) return;
  app.set({ mode: 'paused' });
  notify({
    tone: 'error', text: `Training stopped: ${steps.stopped.message}`, sticky: true,
    hint: 'Inspect the step to see where it began, or start over with a smaller learning rate.',
    action: { label: 'Inspect', run: () => void inspect() },
  });
}

async function finish(): Promise<void> {
  app.set({ mode: 'paused' });
  if (app.get().stepsDone < goal) await record();
  notify({ tone: 'good', text: `Training is done: ${goal.toLocaleString('en')} steps.` });
}

async function loop(): Promise<void> {
  const mine = ++loops;
  for (let n = 0; app.get().mode === 'training' && mine === loops; n++) {
    try {
      slice = runSlice(n % 8 === 0);
      await slice;
      if (app.get().mode === 'training' && app.get().stepsDone < goal - 1) await (slice = refreshRecord());
    } catch (e) {
      app.set({ mode: 'paused' });
      notifyFailure(e, 'Training');
    } finally {
      slice = null;
    }
    do await nextFrame();
    while (app.get().mode === 'training' && app.get().settings.pace > 0 && performance.now() < dueAt);
  }
}

/** Trains until paused, done or stopped. */
export function play(): void {
  const s = app.get();
  if (s.mode === 'training' || !s.model.info?.trains) return;
  const planned = s.model.info.steps;
  goal = planned > s.stepsDone ? planned : Infinity;
  app.set({ mode: 'training', playing: false, time: s.trace?.events.length ?? 0 });
  void loop();
}

/** Stops after the steps that are under way. */
export async function pause(): Promise<void> {
  if (app.get().mode === 'training') app.set({ mode: 'paused' });
  await slice?.catch(() => undefined);
}

export const toggleTraining = (): void => void (app.get().mode === 'training' ? pause() : play());

/** One training step, recorded; the timeline stays at its end. */
export async function stepOnce(): Promise<void> {
  if (!app.get().model.info) return;
  await pause();
  app.set({ mode: 'paused' });
  await record();
}

/** Pauses and opens a step on the timeline: records one, with time at its begin. */
export async function inspect(): Promise<void> {
  if (!app.get().model.info) return;
  await pause();
  await record();
  if (app.get().trace) app.set({ mode: 'inspecting', time: 0 });
}

/** The step after the one that is inspected, at the same time and with the same selection as far as they exist. */
export async function inspectNext(): Promise<void> {
  if (!app.get().model.info) return;
  const { time, trace } = app.get();
  const share = trace && trace.events.length ? time / trace.events.length : 0;
  await pause();
  await record();
  const now = app.get().trace;
  if (!now) return;
  const same = trace?.events.length === now.events.length;
  app.set({ mode: 'inspecting', time: same ? time : Math.round(share * now.events.length) });
}
