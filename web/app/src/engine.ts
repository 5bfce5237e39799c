// engine.ts - where the page gets its engine from: started once, on first use. The client is loaded beside the page's first paint.
import type { Engine, Trace } from '@engine/protocol';
import { withDatasets } from './lib/datasets';

export interface EngineModule {
  engine: Engine;
  /** Frame `frame` of a trace file that the engine has accepted. */
  decode(file: ArrayBuffer, frame: number): Trace;
}

/** An engine of its own, with a worker of its own: whoever asks for it closes it. */
export async function newEngine(): Promise<EngineModule> {
  // `vite build --mode standin` shows the page without the engine's modules.
  if (import.meta.env.MODE === 'standin') return (await import('./dev/engine')).startStandIn();
  const [{ createEngine, decodeTrace }, parts] = await Promise.all([import('@engine/client'), import('@parts')]);
  return { engine: withDatasets(createEngine(parts)), decode: decodeTrace };
}

let started: Promise<EngineModule> | null = null;

/** The page's engine. */
export function getEngine(): Promise<EngineModule> {
  started ??= newEngine().catch((e: unknown) => {
    started = null; // so that it is tried again
    throw e;
  });
  return started;
}
