// messages.ts - what travels between the client and the worker around the requests of protocol.ts.
import type { EngineFailure } from './protocol.ts';

/** The first message: everything a worker needs to stand where the one before it stood. `thread`: the address of a thread's script; without it the file beside the worker's. */
export interface Init { init: { module: WebAssembly.Module; full: boolean; threads: number; thread?: string; generation: number } }
export interface Call { id: number; name: string; args: unknown }
export type ToWorker = Init | Call;

/** `over`: the worker has ended itself after this answer (a trap). */
export type FromWorker =
  | { ready: true }
  | { unready: EngineFailure }
  | { id: number; result: unknown }
  | { id: number; failure: EngineFailure; over: boolean; certificate?: unknown }
  | { id: number; progress: unknown };

const BIG = 4096;
/** Buffers of a message that are worth moving instead of copying. */
export function transfers(value: unknown, found = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (value instanceof ArrayBuffer) { if (value.byteLength >= BIG) found.add(value); }
  else if (ArrayBuffer.isView(value)) transfers(value.buffer, found);
  else if (Array.isArray(value)) { if (typeof value[0] === 'object') for (const v of value) transfers(v, found); }
  else if (value && typeof value === 'object' && !(value instanceof WebAssembly.Module)) for (const v of Object.values(value)) transfers(v, found);
  return [...found];
}
