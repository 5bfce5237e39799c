// engine.ts - where the page gets its engine from: started once, on first use.
import type { Engine, Trace } from '@engine/protocol';

export interface EngineModule {
  engine: Engine;
  /** Frame `frame` of a trace file that the engine has accepted. */
  decode(file: ArrayBuffer, frame: number): Trace;
}

let started: Promise<EngineModule> | null = null;

export function getEngine(): Promise<EngineModule> {
  started ??= import('./dev/engine').then((m) => m.startStandIn());
  return started;
}
