// engine.ts - where the page gets its engine from: started once, on first use.
import { createEngine, decodeTrace } from '@engine/client';
import type { Engine, Trace } from '@engine/protocol';
import { withDatasets } from './lib/datasets';
import * as parts from '@parts';

export interface EngineModule {
  engine: Engine;
  /** Frame `frame` of a trace file that the engine has accepted. */
  decode(file: ArrayBuffer, frame: number): Trace;
}

/** An engine of its own, with a worker of its own: whoever asks for it closes it. */
export async function newEngine(): Promise<EngineModule> {
  return { engine: withDatasets(createEngine(parts)), decode: decodeTrace };
}

let started: Promise<EngineModule> | null = null;

/** The page's engine. */
export function getEngine(): Promise<EngineModule> {
  started ??= newEngine();
  return started;
}
