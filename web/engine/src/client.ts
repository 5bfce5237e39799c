// client.ts - the page's side of the worker: createEngine() implements Engine of protocol.ts.
//
// A worker that traps or does not answer in time is replaced by one that is told everything again: the datasets, the accepted plugins, the model's text.
// Requests that waited for the old one are rejected with the reason; later ones wait for the new one.
import { compile, inNode } from './loader.ts';
import { decodeTrace, frameCount } from './trace.ts';
import { startWorker, WorkerLink } from './workerlink.ts';
import type { Certificate, Engine, EngineFailure, FullRequests, ModelInfo, Requests } from './protocol.ts';
import type { Source } from './wasm.ts';

export { decodeTrace, frameCount };
export type * from './protocol.ts';

export interface EngineOptions {
  /** The engine that trains, the one that verifies, the one for threads; without them the modules beside this file. */
  lean?: Source; full?: Source; threaded?: Source;
  /**
   * Trains on so many threads, where the page is cross-origin isolated and until a plugin is accepted; 1. Asked for each model that is loaded
   * when it is a function: small ones are faster on one. Where threads cannot be had, one does it all: the numbers are the same.
   */
  threads?: number | ((model: ModelInfo) => number);
  /** The address of the script of a thread; without it ebb-thread.js beside the worker's. */
  thread?: string;
  /** Starts the worker's script; without it ebb-worker.js beside this file. */
  worker?: () => Worker;
  /** Milliseconds a request may take, if it does not say otherwise; 30,000. */
  timeout?: number;
  /** Milliseconds a plugin's verification may be silent; 10,000. */
  silence?: number;
}

type Call = Requests & FullRequests;
type Build = 'lean' | 'full' | 'threaded';
const BESIDE: Record<Build, () => URL> = { // written out, so that bundlers find the files; the visualiser's build lays them beside the page itself
  lean: () => new URL(/* @vite-ignore */ './ebb-engine.wasm', import.meta.url),
  full: () => new URL(/* @vite-ignore */ './ebb-engine-full.wasm', import.meta.url),
  threaded: () => new URL(/* @vite-ignore */ './ebb-engine-threads.wasm', import.meta.url),
};

export function createEngine(options: EngineOptions = {}): Engine { return new Client(options); }

class Client implements Engine {
  onRestart: ((why: EngineFailure) => void) | null = null;
  generation = 0;
  readonly #o: EngineOptions;
  readonly #modules = new Map<Build, Promise<WebAssembly.Module>>();
  readonly #plugins: { name: string; bytes: ArrayBuffer }[] = [];
  readonly #datasets = new Map<string, Requests['dataset']['args']>();
  #text: Requests['load']['args'] | null = null;
  #full = false; // the training engine is the full one
  #threads: number; // of the training engine
  #single = false; // the engine for threads could not be started
  #training: Promise<WorkerLink> | null = null;
  #verifier: Promise<WorkerLink> | null = null;
  #closed = false;

  constructor(options: EngineOptions) {
    this.#o = options;
    this.#threads = typeof options.threads === 'number' ? this.#possible(options.threads) : 1;
  }
  /** Threads need memory that is shared, which a page has when it is cross-origin isolated. */
  #possible(threads: number): number { return !this.#full && !this.#single && (inNode || globalThis.crossOriginIsolated) ? threads : 1; }

  #module(build: Build): Promise<WebAssembly.Module> {
    let m = this.#modules.get(build);
    if (!m) {
      m = compile(this.#o[build] ?? BESIDE[build]());
      m.catch(() => this.#modules.delete(build)); // so that it is tried again
      this.#modules.set(build, m);
    }
    return m;
  }

  async #open(full: boolean, threads: number): Promise<WorkerLink> {
    let link: WorkerLink | undefined;
    try {
      link = new WorkerLink(this.#o.worker?.() ?? startWorker()); // its script is loaded while the module is compiled
      const module = await this.#module(full ? 'full' : threads > 1 ? 'threaded' : 'lean');
      await link.init({ module, full, threads, thread: this.#o.thread, generation: this.generation });
      return link;
    } catch (e) {
      link?.end();
      if (threads === 1) throw isFailure(e) ? e : ({ kind: 'load', message: `The engine could not be loaded: ${(e as Error).message}` } satisfies EngineFailure);
      this.#single = true;
      this.#threads = 1;
      return this.#open(full, 1);
    }
  }

  /** A worker with the plugins in it; the training one has datasets and the model too. */
  async #start(full: boolean, training: boolean): Promise<WorkerLink> {
    if (this.#closed) throw { kind: 'error', message: 'The engine was closed.' } satisfies EngineFailure;
    const link = await this.#open(full, training && !full ? this.#threads : 1);
    try {
      for (const p of this.#plugins) await link.call('plugin', { ...p, bytes: p.bytes.slice(0) }, this.#silence, true);
      if (training) {
        for (const d of this.#datasets.values()) await link.call('dataset', d, this.#timeout);
        if (this.#text) await this.#noteLoad(await link.call('load', this.#text, this.#timeout) as Requests['load']['result']);
      }
    } catch (e) {
      link.end();
      throw e;
    }
    return link;
  }
  get #timeout(): number { return this.#o.timeout ?? 30_000; }
  get #silence(): number { return this.#o.silence ?? 10_000; }
  #noteLoad(r: Requests['load']['result']): void { if (r.info) this.generation = r.info.generation; }

  #trainer(): Promise<WorkerLink> {
    if (!this.#training) {
      const started = this.#start(this.#full, true);
      this.#training = started;
      started.catch((e: EngineFailure) => {
        if (this.#training === started) this.#training = null;
        if (e.kind === 'trap' || e.kind === 'hang') this.#text = null; // the model itself does it: not again
      });
    }
    return this.#training;
  }

  async call<K extends keyof Requests>(name: K, args: Requests[K]['args'], timeoutMs = this.#timeout): Promise<Requests[K]['result']> {
    const link = await this.#trainer();
    try {
      const result = (await link.call(name, args, name === 'train' ? timeoutMs + ((args as Requests['train']['args']).ms ?? 0) : timeoutMs)) as Requests[K]['result'];
      const { info } = result as Requests['load']['result'];
      if (name === 'load' && info) {
        this.#text = args as Requests['load']['args'];
        this.#noteLoad(result as Requests['load']['result']);
        if (await this.#moved(link, info)) return await this.call(name, args, timeoutMs);
      }
      if (name === 'dataset') this.#datasets.set((args as Requests['dataset']['args']).name, args as Requests['dataset']['args']);
      return result;
    } catch (e) {
      const why = e as EngineFailure;
      if (!link.alive) void this.#replace(link, why, name, args);
      throw why;
    }
  }

  /** Makes another engine when this model should have more threads or fewer. -> whether `link`, which has loaded it, is no longer the one that trains. */
  async #moved(link: WorkerLink, info: ModelInfo): Promise<boolean> {
    const { threads } = this.#o, wanted = typeof threads === 'function' ? this.#possible(threads(info)) : this.#threads;
    if ((await this.#training?.catch(() => null)) !== link) return true;
    if (wanted === this.#threads) return false;
    this.#threads = wanted;
    this.#text = this.#training = null;
    const ended = link.call('about', {}, this.#timeout); // what it was asked before this is still answered
    void ended.catch(() => {}).then(() => link.end());
    return true;
  }

  /** A new training worker instead of one that is gone. */
  async #replace(gone: WorkerLink, why: EngineFailure, name: keyof Requests, args: unknown): Promise<void> {
    const current = await this.#training?.catch(() => null);
    if (current !== gone || this.#closed) return; // somebody else did it
    this.#training = null;
    if (name === 'load' && this.#text?.text === (args as Requests['load']['args']).text) this.#text = null;
    await this.#trainer().catch(() => null);
    this.onRestart?.(why);
  }

  async #verifying<K extends keyof FullRequests>(name: K, args: FullRequests[K]['args'], seen?: (p: unknown) => void): Promise<FullRequests[K]['result']> {
    this.#verifier ??= this.#start(true, false);
    const starting = this.#verifier;
    try {
      const link = await starting;
      try { return (await link.call(name, args, this.#silence, true, seen)) as Call[K]['result']; } finally { if (!link.alive) this.#verifier = null; }
    } catch (e) {
      if (this.#verifier === starting && !(await starting.catch(() => null))?.alive) this.#verifier = null;
      throw e;
    }
  }

  verify(op: string): Promise<FullRequests['verify']['result']> { return this.#verifying('verify', { op }); }

  async plugin(name: string, bytes: ArrayBuffer): Promise<Certificate> {
    let known: Certificate | null = null;
    const seen = (p: unknown): void => { known = note(known, p); };
    const kept = bytes.slice(0);
    try {
      const certificate = await this.#verifying('plugin', { name, bytes }, seen);
      if (certificate.ok) await this.#accept(name, kept);
      return certificate;
    } catch (e) {
      const why = e as EngineFailure, partial = known as Certificate | null;
      if (!partial || (why.kind !== 'trap' && why.kind !== 'hang')) throw why;
      const last = partial.checks.at(-1), after = last ? ` after the check ${last.check} of ${last.op}` : '';
      const message = why.kind === 'trap' ? `it stopped the engine${after}: ${why.message}` : `it did not go on for ${this.#silence / 1000} s${after}, and was stopped`;
      return { ...partial, ok: false, message };
    }
  }

  /** The training engine gets the plugin too: one that is full already as it runs, else it is started again as the full one. */
  async #accept(name: string, bytes: ArrayBuffer): Promise<void> {
    this.#plugins.push({ name, bytes });
    if (this.#full && this.#training) {
      const link = await this.#training;
      await link.call('plugin', { name, bytes: bytes.slice(0) }, this.#silence, true);
      return;
    }
    this.#full = true;
    this.#threads = 1;
    const before = await this.#training?.catch(() => null);
    this.#training = null;
    before?.end({ kind: 'load', message: 'The engine was started again for a plugin.' });
    if (!before) return;
    await this.#trainer();
    this.onRestart?.({ kind: 'load', message: `The engine was started again with the plugin ${name}.` });
  }

  close(): void {
    this.#closed = true;
    for (const p of [this.#training, this.#verifier]) void p?.then((l) => l.end({ kind: 'error', message: 'The engine was closed.' }), () => {});
  }
}

const isFailure = (e: unknown): e is EngineFailure => typeof e === 'object' && e !== null && 'kind' in e && 'message' in e;

/** A certificate as it grows: first the inspection, then checks. */
function note(known: Certificate | null, p: unknown): Certificate {
  if (!known || !('check' in (p as object))) return p as Certificate;
  const line = p as Certificate['checks'][number];
  return { ...known, checks: [...known.checks, line], [line.result]: known[line.result] + 1 };
}
