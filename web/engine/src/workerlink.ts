// workerlink.ts - one worker and the requests that wait for it: answers, progress, the clock. It ends once, and whoever waits then is told why.
import { inNode, ofNode } from './loader.ts';
import type { FromWorker, Init, ToWorker } from './messages.ts';
import type { EngineFailure } from './protocol.ts';

/** The part of a worker that is used here; node's is made to look like it. */
export type AnyWorker = Pick<Worker, 'postMessage' | 'terminate'> & {
  onmessage: ((e: MessageEvent<FromWorker>) => void) | null;
  onerror: ((e: ErrorEvent) => void) | null;
};

/** The worker's script beside this file. */
export function startWorker(): AnyWorker {
  if (!inNode) return new Worker(new URL(/* @vite-ignore */ './ebb-worker.js', import.meta.url), { type: 'module' }) as AnyWorker;
  const { Worker: Thread } = ofNode<typeof import('node:worker_threads')>('node:worker_threads');
  const thread = new Thread(new URL('./ebb-worker.js', import.meta.url));
  const like: AnyWorker = { postMessage: (m: unknown) => thread.postMessage(m), terminate: () => void thread.terminate(), onmessage: null, onerror: null };
  thread.on('message', (data: FromWorker) => like.onmessage?.({ data } as MessageEvent<FromWorker>));
  thread.on('error', (e: unknown) => like.onerror?.({ message: (e as Error).message } as ErrorEvent));
  return like;
}

interface Waiting {
  name: string; resolve(r: unknown): void; reject(f: EngineFailure): void; seen?: (p: unknown) => void;
  timer: ReturnType<typeof setTimeout>; ms: number; extends: boolean;
}

export class WorkerLink {
  /** Why it ended. */
  #over: EngineFailure | null = null;
  readonly #worker: AnyWorker;
  readonly #waiting = new Map<number, Waiting>();
  #ready: { resolve(): void; reject(f: EngineFailure): void } | null = null;
  #last = 0;

  constructor(worker: AnyWorker) {
    this.#worker = worker;
    worker.onmessage = (e) => this.#receive(e.data);
    worker.onerror = (e) => this.end({ kind: 'load', message: `The engine's worker failed: ${e.message || 'its script could not be loaded'}.` });
  }

  get alive(): boolean { return !this.#over; }

  init(init: Init['init']): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#over) { reject(this.#over); return; }
      this.#ready = { resolve, reject };
      this.#post({ init });
    });
  }

  /** Asks; rejected with an EngineFailure. `extend`: progress starts the clock again. */
  call(name: string, args: unknown, ms: number, extend = false, seen?: (p: unknown) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#over) { reject({ kind: 'error', message: 'The engine has ended.' } satisfies EngineFailure); return; }
      const id = ++this.#last;
      this.#waiting.set(id, { name, resolve, reject, ms, extends: extend, seen, timer: this.#clock(id, name, ms) });
      this.#post({ id, name, args });
    });
  }
  #clock(id: number, name: string, ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      const w = this.#waiting.get(id);
      if (!w) return;
      this.#waiting.delete(id);
      this.end({ kind: 'hang', message: `The engine did not answer ${name} within ${ms / 1000} s.` }, w);
    }, ms);
  }
  #post(m: ToWorker): void { this.#worker.postMessage(m); }

  #receive(m: FromWorker): void {
    if ('ready' in m) { this.#ready?.resolve(); this.#ready = null; return; }
    if ('unready' in m) { this.end(m.unready); return; }
    const w = this.#waiting.get(m.id);
    if (!w) return;
    if ('progress' in m) {
      w.seen?.(m.progress);
      if (!w.extends) return;
      clearTimeout(w.timer);
      w.timer = this.#clock(m.id, w.name, w.ms);
      return;
    }
    clearTimeout(w.timer);
    this.#waiting.delete(m.id);
    if ('result' in m) { w.resolve(m.result); return; }
    if (m.certificate) w.seen?.(m.certificate);
    if (m.over) this.end(m.failure, w);
    else w.reject(m.failure);
  }

  /** Ends the worker. Everybody who waits is told why. */
  end(why: EngineFailure = { kind: 'error', message: 'The engine has ended.' }, first?: Waiting): void {
    if (this.#over) return;
    this.#over = why;
    this.#worker.terminate();
    first?.reject(why);
    this.#ready?.reject(why);
    for (const w of this.#waiting.values()) {
      clearTimeout(w.timer);
      w.reject(why);
    }
    this.#waiting.clear();
  }
}
