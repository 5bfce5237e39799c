// contest.ts - two models that train at once, each in a worker of its own, so that a mistake can be seen beside its repair.
import type { Finding, ModelInfo, Steps } from '@engine/protocol';
import { failureOf } from '../actions';
import { appendSteps, type Curves, emptyCurves } from '../curves';
import { type EngineModule, newEngine } from '../engine';
import { createStore, type Store } from '../store';

export interface Contestant {
  info: ModelInfo | null;
  curves: Curves; version: number;
  metrics: number[]; heldLoss: number;
  findings: Finding[];
  /** What ended it before its time, or kept it from beginning. */
  failure: string;
  state: 'starting' | 'training' | 'done';
}

const fresh = (): Contestant => ({ info: null, curves: emptyCurves(0), version: 0, metrics: [], heldLoss: NaN, findings: [], failure: '', state: 'starting' });

export interface Contest { sides: readonly [Store<Contestant>, Store<Contestant>]; stop(): void }

const STEPS = 300, SLICE_MS = 25, PAUSE_MS = 12;
/** Steps that are recorded and looked at: the first, in which a NaN is born, say; an early one; and the last. */
const LOOK_AT = [1, 20];

/** Does one step under the recorder. */
async function look(m: EngineModule, side: Store<Contestant>): Promise<Steps> {
  const { file, steps } = await m.engine.call('record', {});
  const { findings } = m.decode(file, 0);
  const known = new Set(side.get().findings.map((f) => f.code));
  side.set({ findings: [...side.get().findings, ...findings.filter((f) => !known.has(f.code))] });
  return steps;
}

async function train(text: string, side: Store<Contestant>, m: EngineModule, stopped: () => boolean): Promise<void> {
  const { info, problem } = await m.engine.call('load', { text, seed: 1 });
  if (!info) {
    side.set({ failure: problem?.message ?? 'The model could not be read.' });
    return;
  }
  side.set({ info, curves: emptyCurves(info.metrics.length), state: 'training' });
  const end = info.steps || STEPS;
  const looks = [...LOOK_AT, end].filter((step) => step <= end);
  for (let done = 0; done < end && !stopped();) {
    const next = looks.find((step) => step > done) ?? end;
    const steps = next === done + 1 ? await look(m, side) : await m.engine.call('train', { ms: SLICE_MS, most: next - done - 1 });
    appendSteps(side.get().curves, steps);
    side.set({ version: side.get().version + 1 });
    done = steps.stepsDone;
    if (steps.stopped) {
      if (steps.step.length !== 1) await look(m, side);
      side.set({ failure: steps.stopped.message });
      break;
    }
    await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  }
  const held = await m.engine.call('evaluate', {});
  side.set({ metrics: held.metrics, heldLoss: held.loss });
}

async function run(text: string, side: Store<Contestant>, stopped: () => boolean): Promise<void> {
  let m: EngineModule | null = null;
  try {
    m = await newEngine();
    if (!stopped()) await train(text, side, m, stopped);
  } catch (e) {
    if (!stopped()) side.set({ failure: failureOf(e).message });
  } finally {
    m?.engine.close();
    side.set({ state: 'done' });
  }
}

/** Starts both; stop() ends their workers. */
export function startContest(left: string, right: string): Contest {
  let over = false;
  const sides = [createStore(fresh()), createStore(fresh())] as const;
  void run(left, sides[0], () => over);
  void run(right, sides[1], () => over);
  return { sides, stop: () => { over = true; } };
}
