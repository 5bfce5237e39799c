// host.ts - what the worker holds and does: one model in a session of its own, its last record, what the page asks of them (protocol.ts).
//
// Every load opens a session like the base one (which has the plugins), so that a text with a problem leaves the model that was there as it is.
import { certify, verifyOp } from './certify.ts';
import { EbbError } from './error.ts';
import { Model, type StepResult } from './model.ts';
import type { Boundary, EngineFailure, Examples, FullRequests, Layout, ModelInfo, Problem, Requests, Steps, Window } from './protocol.ts';
import { layoutOf, Recording, TraceFile, svgOf, traceFile, windowOf } from './record.ts';
import { Session } from './session.ts';
import type { Tensor } from './tensor.ts';
import type { Wasm } from './wasm.ts';

type All = Requests & FullRequests;
export type Handlers = { [K in keyof All]: (args: All[K]['args'], progress: (line: unknown) => void) => All[K]['result'] | Promise<All[K]['result']> };

/** What failed, as the page is told. */
export function failureOf(e: unknown): EngineFailure {
  const message = e instanceof Error ? e.message : String(e);
  if (e instanceof EbbError) return { kind: e.status === 'memory' ? 'memory' : 'error', message };
  if (e instanceof WebAssembly.RuntimeError) return { kind: 'trap', message: `The engine stopped: ${message}.` };
  if (e instanceof RangeError) return /call stack/i.test(message) ? { kind: 'trap', message: 'The engine stopped: its stack is full.' } : { kind: 'memory', message };
  return { kind: 'error', message };
}

const numbers = (t: Tensor): Float32Array => {
  const a = t.toTyped();
  return a instanceof Float32Array ? a : Float32Array.from(a as Float64Array, Number);
};

interface Loaded { session: Session; model: Model; info: ModelInfo; text: string }
interface Dataset { name: string; images: ArrayBuffer; labels: ArrayBuffer; scale: number }

export class Host implements Handlers {
  readonly #wasm: Wasm;
  readonly #base: Session;
  readonly #full: boolean;
  readonly #datasets = new Map<string, Dataset>();
  #now: Loaded | null = null;
  #record: Recording | null = null;
  /** The trace that layouts are asked of: of the last record, or the last file opened. */
  #trace: { frames: number; frame(i: number): number } | null = null;
  #file: TraceFile | null = null;
  #generation: number;
  /** Called by a session when its model asks for a dataset that the page gave. */
  readonly #source: number;

  constructor(wasm: Wasm, full: boolean, generation: number, threads: number) {
    this.#wasm = wasm;
    this.#full = full;
    this.#generation = generation;
    this.#base = new Session(wasm, { threads });
    this.#source = wasm.callback('iii', 'i', (session, name) => this.#addDataset(session!, this.#datasets.get(wasm.string(name!))!)).pointer;
  }

  // ---- a model ----

  /** A session with a model in it, or what is wrong with the text. */
  #read(text: string, seed?: number): { session: Session; model: Model } | Problem {
    const session = new Session(this.#wasm, { threads: this.#wasm.x.ebb_threads(this.#base.pointer) }, this.#base), w = this.#wasm;
    try {
      for (const { name } of this.#datasets.values()) {
        session.check(w.frame(() => w.x.ebb_dataset_source(session.pointer, w.text(name), w.text('given by the page'), this.#source, 0)));
      }
      const model = new Model(session, text), problem = model.problem();
      if (!problem) {
        if (seed !== undefined) model.reseed(seed);
        return { session, model };
      }
      session.close();
      return problem;
    } catch (e) {
      session.close();
      throw e;
    }
  }
  #loaded(): Loaded {
    if (!this.#now) throw new EbbError('no model is loaded');
    return this.#now;
  }
  /** Runs f in a scope of the model's session. */
  #within<R>(f: (now: Loaded) => R): R {
    const now = this.#loaded();
    let out!: R;
    now.session.scope(() => { out = f(now); });
    return out;
  }
  #forgetRecord(): void {
    if (this.#trace !== this.#file) this.#trace = null;
    this.#record?.dispose();
    this.#record = null;
  }

  load = ({ text, seed }: Requests['load']['args']): Requests['load']['result'] => {
    const next = this.#read(text, seed);
    if (!('session' in next)) return { problem: next };
    this.#forgetRecord();
    this.#now?.session.close();
    this.#now = { ...next, text, info: { ...next.model.info(), generation: ++this.#generation } };
    return { info: this.#now.info };
  };

  lint = ({ text }: Requests['lint']['args']): Requests['lint']['result'] => {
    const read = this.#read(text);
    if (!('session' in read)) return { problem: read };
    read.session.close();
    return { problem: null };
  };

  restart = (): {} => {
    this.#loaded().model.restart();
    return {};
  };

  // ---- training ----

  train = ({ ms = 16, most = Infinity, ratios = false }: Requests['train']['args']): Steps => {
    const { session, model, info } = this.#loaded();
    if (!info.trains) throw new EbbError('this model has no train statement');
    const start = performance.now(), done: StepResult[] = [];
    let change = new Float64Array(0), stopped: EngineFailure | undefined, longest = 0;
    for (let last = false; !last && !stopped;) {
      const before = performance.now();
      last = done.length + 1 >= most || before - start + longest >= ms;
      try {
        const old = ratios && last ? session.params().map(numbers) : null, step = model.step();
        if (old) change = Float64Array.from(session.params(), (t, i) => ratio(old[i]!, numbers(t)));
        done.push(step);
        if (!step.finite) stopped = notFinite(step);
      } catch (e) {
        if (!(e instanceof EbbError)) throw e;
        stopped = failureOf(e);
      }
      longest = Math.max(longest, performance.now() - before);
    }
    return this.#steps(done, change, performance.now() - start, stopped);
  };
  #steps(done: StepResult[], ratios: Float64Array, ms: number, stopped?: EngineFailure): Steps {
    const { info, model } = this.#loaded(), column = (f: (s: StepResult) => number) => Float64Array.from(done, f);
    const steps: Steps = {
      generation: info.generation, step: column((s) => s.step), loss: column((s) => s.loss), gradNorm: column((s) => s.gradNorm), lr: column((s) => s.lr),
      metrics: info.metrics.map((_, k) => column((s) => s.metrics[k] ?? NaN)), ratios, ms, stepsDone: model.stepsDone,
    };
    if (stopped) steps.stopped = stopped;
    return steps;
  }

  record = ({ series = [] }: Requests['record']['args']): Requests['record']['result'] => {
    const { session, model, info } = this.#loaded(), start = performance.now();
    this.#forgetRecord();
    const record = new Recording(model);
    try {
      let step!: StepResult, tables = 0;
      session.scope(() => {
        step = info.trains ? model.step(true) : runOnce(model);
        for (const s of series) record.addSeries(s);
        tables = record.end();
      });
      this.#record = record;
      this.#trace = { frames: 1, frame: () => tables };
      const steps = this.#steps([step], new Float64Array(0), performance.now() - start, step.finite ? undefined : notFinite(step));
      return { file: traceFile(session, [tables]), steps };
    } catch (e) {
      record.dispose();
      throw e;
    }
  };

  // ---- traces ----

  openTrace = ({ file }: Requests['openTrace']['args']): Requests['openTrace']['result'] => {
    const next = new TraceFile(this.#base, file);
    this.#file?.dispose();
    this.#trace = this.#file = next;
    return { frames: next.frames };
  };
  #frame(i: number): number {
    if (!this.#trace) throw new EbbError('nothing has been recorded or opened');
    if (!(i >= 0 && i < this.#trace.frames)) throw new EbbError(`there is no frame ${i} among ${this.#trace.frames}`);
    return this.#trace.frame(i);
  }
  layout = ({ frame = 0, ...options }: Requests['layout']['args']): Layout => {
    const start = performance.now(), drawn = layoutOf(this.#base, this.#frame(frame), options);
    return { ...drawn, ms: performance.now() - start };
  };
  svg = ({ frame = 0, ...options }: Requests['svg']['args']): Requests['svg']['result'] => {
    return { text: svgOf(this.#base, this.#frame(frame), options) };
  };
  joinTraces = ({ files }: Requests['joinTraces']['args']): Requests['joinTraces']['result'] => {
    const open: TraceFile[] = [];
    try {
      for (const f of files) open.push(new TraceFile(this.#base, f));
      const frames = open.flatMap((f) => Array.from({ length: f.frames }, (_, i) => f.frame(i)));
      return { file: traceFile(this.#base, frames) };
    } finally { for (const f of open) f.dispose(); }
  };
  #live(): Recording {
    if (!this.#record) throw new EbbError('nothing has been recorded of this model');
    return this.#record;
  }
  window = ({ tensor, grad, part, ...at }: Requests['window']['args']): Window => windowOf(this.#live().tensor(tensor, grad, part), at);
  derivative = ({ node, operand, most = 16 }: Requests['derivative']['args']): Requests['derivative']['result'] => this.#within(() => this.#live().derivative(node, operand, most));

  // ---- data ----

  examples = ({ held, first, n, predict }: Requests['examples']['args']): Examples => this.#within(({ model }) => {
    const { x, y } = model.examples(held, first, n), p = predict ? model.predict(x) : null;
    return { x: numbers(x), xShape: [...x.shape], y: numbers(y), p: p && numbers(p), pShape: p ? [...p.shape] : [] };
  });

  boundary = ({ cols, rows }: Requests['boundary']['args']): Boundary => this.#within(({ model, session, info }) => {
    if (!info.plane) throw new EbbError("this model's examples are not points of a plane");
    const shown = model.examples(false, 0, Math.min(info.nTrain, 1000)), points = numbers(shown.x);
    const [xMin, xMax] = extent(points, 0), [yMin, yMax] = extent(points, 1);
    const grid = new Float32Array(2 * rows * cols);
    for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) {
      grid[2 * (r * cols + c)] = xMin + ((c + 0.5) / cols) * (xMax - xMin);
      grid[2 * (r * cols + c) + 1] = yMin + ((r + 0.5) / rows) * (yMax - yMin);
    }
    const p = model.predict(session.tensor(grid, [rows * cols, 2]));
    return { cols, rows, classes: p.size / (rows * cols), values: numbers(p), xMin, xMax, yMin, yMax, points, labels: numbers(shown.y) };
  });

  evaluate = (): Requests['evaluate']['result'] => this.#within(({ model }) => model.evaluate());

  /** Adds a dataset of the page's to a session (ebb *). -> ebb_status */
  #addDataset(session: number, { name, images, labels, scale }: Dataset): number {
    const w = this.#wasm;
    return w.withBytes(new Uint8Array(images), (i) => w.withBytes(new Uint8Array(labels), (l) => w.frame(() =>
      w.x.ebb_dataset_idx(session, w.text(name), i, images.byteLength, l, labels.byteLength, scale))));
  }
  dataset = (d: Requests['dataset']['args']): {} => {
    const trial = new Session(this.#wasm, {}, this.#base);
    try { trial.check(this.#addDataset(trial.pointer, d)); } finally { trial.close(); }
    this.#datasets.set(d.name, d);
    return {};
  };

  // ---- about the engine ----

  words = (): Requests['words']['result'] => {
    const w = this.#wasm, e = this.#base, all: Requests['words']['result'] = [];
    w.frame(() => {
      const kind = w.alloc(4), doc = w.alloc(4);
      for (let i = 0, p; (p = w.x.ebb_lang_word(e.pointer, i, kind, doc)); i++) {
        all.push({ word: w.string(p), kind: w.string(w.u32[kind >> 2]!), doc: w.string(w.u32[doc >> 2]!) });
      }
    });
    const known = new Set(all.map((a) => a.word)), add = (word: string, kind: string, doc: string) => { if (!known.has(word)) all.push({ word, kind, doc }); };
    for (let i = 0, n = w.x.ebb_op_count(e.pointer); i < n; i++) {
      const info = e.ops.infoAt(i);
      add(info.name, 'op', info.doc || info.sig);
    }
    for (const name of this.#datasets.keys()) add(name, 'dataset', '');
    return all;
  };
  memory = (): Requests['memory']['result'] => {
    const { in_use, peak, held } = (this.#now?.session ?? this.#base).memory();
    return { wasm: this.#wasm.u8.length, inUse: in_use, peak, held };
  };
  about = (): Requests['about']['result'] => {
    const { x } = this.#wasm, e = this.#base;
    return { version: e.version, ops: x.ebb_op_count(e.pointer), threads: x.ebb_threads(e.pointer), full: this.#full };
  };

  // ---- the full engine ----

  plugin = ({ name, bytes }: FullRequests['plugin']['args'], progress: (line: unknown) => void): Promise<FullRequests['plugin']['result']> =>
    certify(this.#base, name, bytes, progress);
  verify = ({ op }: FullRequests['verify']['args'], progress: (line: unknown) => void): FullRequests['verify']['result'] => verifyOp(this.#base, op, progress);
}

/** |new - old| / |old|, both norms. */
function ratio(before: Float32Array, after: Float32Array): number {
  let step = 0, size = 0;
  for (let i = 0; i < before.length; i++) {
    step += (after[i]! - before[i]!) ** 2;
    size += before[i]! ** 2;
  }
  return size ? Math.sqrt(step / size) : NaN;
}

/** A model that does not train: one run, and its backward when it ends in a number. */
function runOnce(model: Model): StepResult {
  const y = model.forward(), number = y.size === 1;
  if (number && y.needsGrad) y.backward();
  const loss = number ? y.item() : NaN;
  return { step: model.stepsDone, loss, lr: NaN, gradNorm: NaN, metrics: [], finite: true };
}

const notFinite = (s: StepResult): EngineFailure => ({ kind: 'error', message: `The loss is ${s.loss} at step ${s.step}: training cannot go on.` });

/** Least and greatest of every second number, with a margin of a tenth. */
function extent(points: Float32Array, from: number): [number, number] {
  let lo = Infinity, hi = -Infinity;
  for (let i = from; i < points.length; i += 2) {
    lo = Math.min(lo, points[i]!);
    hi = Math.max(hi, points[i]!);
  }
  if (!(lo <= hi)) return [-1, 1];
  const margin = (hi - lo) / 10 || 1;
  return [lo - margin, hi + margin];
}
