// engine.ts - where the page gets its engine from: started once, on first use.
import type { Engine, Trace } from '@engine/protocol';

export interface EngineModule {
  engine: Engine;
  /** Frame `frame` of a trace file that the engine has accepted. */
  decode(file: ArrayBuffer, frame: number): Trace;
}

/** An engine of its own, with a worker of its own: whoever asks for it closes it. */
export const newEngine = (): Promise<EngineModule> => import('./dev/engine').then((m) => m.startStandIn());

let started: Promise<EngineModule> | null = null;

export function getEngine(): Promise<EngineModule> {
  started ??= newEngine();
  return started;
}
