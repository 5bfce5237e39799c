// engine.ts - where the page gets its engine from: started once, on first use.
import { createEngine, decodeTrace } from '@engine/client';
import type { Engine, ModelInfo, Trace } from '@engine/protocol';
import { withDatasets } from './lib/datasets';
import { app } from './state';
import * as parts from '@parts';

export interface EngineModule {
  engine: Engine;
  /** Frame `frame` of a trace file that the engine has accepted. */
  decode(file: ArrayBuffer, frame: number): Trace;
}

/** Whether this page can have threads: it shares memory with its workers, and there is more than one core. */
export const threadsPossible = (): boolean => globalThis.crossOriginIsolated && navigator.hardwareConcurrency > 1 && parts.thread !== undefined;

/** Multiplications of a step in one direction from which on threads are faster: below, handing the work over takes longer than doing it. */
const WORTH_THREADS = 4e6;
const MOST_THREADS = 8;

/** Threads for a model: one, or as many as there are cores when it is large enough. */
export function threadsFor({ parameters, batch }: ModelInfo): number {
  const wanted = app.get().settings.threads && threadsPossible() && parameters * Math.max(1, batch) >= WORTH_THREADS;
  return wanted ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
}

/** An engine of its own, with a worker of its own: whoever asks for it closes it. */
export async function newEngine(): Promise<EngineModule> {
  return { engine: withDatasets(createEngine({ ...parts, threads: threadsFor })), decode: decodeTrace };
}

let started: Promise<EngineModule> | null = null;

/** The page's engine. */
export function getEngine(): Promise<EngineModule> {
  started ??= newEngine();
  return started;
}
