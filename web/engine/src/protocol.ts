// protocol.ts - what the page may ask of the engine's worker, and what it answers: the one place where both sides agree.
//
// Every request is answered once: by its result, or by an EngineFailure. Nothing of the engine's memory is shared with the page: what is sent is
// a copy made for it (buffers are transferred). The worker holds one model at a time; `generation` counts the loads, so that an answer that
// belongs to an earlier model can be told.

/** A part of the model's text: lines and columns from 1, offsets in UTF-16 units of the text (what the editor counts) from 0. */
export interface Span { line: number; column: number; endLine: number; endColumn: number; from: number; to: number }

/** What is wrong in a model's text. */
export interface Problem { message: string; hint: string; span: Span | null; call: Span | null }

/** What failed, in words for the person at the page. `problem` is there when the model's text is the cause. */
export interface EngineFailure {
  kind: 'error' | 'trap' | 'hang' | 'memory' | 'load';
  message: string;
  problem?: Problem;
}

/** What a loaded model is (ebb_model_info). */
export interface ModelInfo {
  generation: number;
  trains: boolean; optimizer: string; steps: number;
  dataset: string; batch: number; nTrain: number; nHeld: number; classes: number;
  parameters: number; metrics: string[]; predict: string;
  plane: boolean; imageRows: number; imageCols: number;
  parameterNames: string[];
}

/** Curves of the steps that were just done: columns of the same length. NaN where there is nothing. */
export interface Steps {
  generation: number;
  step: Float64Array; loss: Float64Array; gradNorm: Float64Array; lr: Float64Array;
  metrics: Float64Array[];
  /** |step| / |W| of each parameter at the last of these steps, in the order of parameterNames; empty when not asked for. */
  ratios: Float64Array;
  /** ms the steps took in the worker. */
  ms: number;
  stepsDone: number;
  /** Set when training cannot go on: the loss is no longer finite, say. Steps before it are in the columns. */
  stopped?: EngineFailure;
}

/** Drawing of a trace: ebb_layout's tables. */
export interface Layout {
  width: number; height: number;
  boxes: Box[];
  wires: Wire[];
  /** What was open, one byte a group, as it was used (the default when none was given). */
  open: Uint8Array;
  ms: number;
}
export type BoxKind = 'node' | 'tensor' | 'group' | 'frame';
export interface Box { kind: BoxKind; id: number; count: number; frame: number; x: number; y: number; w: number; h: number }
export interface Wire { from: number; to: number; tensor: number; input: number; points: Float32Array }
export const GROUP_OPEN = 1, GROUP_UNFOLDED = 2;

/** A part of a tensor, row-major; `whole` shape of the tensor it is from. */
export interface Window {
  shape: number[]; dtype: string;
  rows: number; cols: number; values: Float32Array;
  stats: Stats;
}

/** ebb_trace_stats. `pixels`: rows x cols; `elements`: all n elements, or null when they were too many to keep. */
export interface Stats {
  min: number; max: number; mean: number; std: number; norm: number;
  n: number; nNan: number; nInf: number; nZero: number; firstBad: number;
  bins: Uint32Array; rows: number; cols: number; pixels: Float32Array; elements: Float32Array | null;
}

export type TensorKind = 'input' | 'param' | 'const' | 'value';
export interface TraceTensor {
  name: string; kind: TensorKind; dtype: string; shape: number[];
  node: number; out: number; value: number; grad: number; needsGrad: boolean; after: number;
}
export interface TraceNode {
  op: string; attrs: string; math: string; label: string; group: number;
  input: number; nIn: number; firstOut: number; nOut: number; onTape: boolean;
  line: number; column: number; endLine: number; endColumn: number;
}
export interface TraceInput { tensor: number; grad: number }
export type GroupKind = 'region' | 'def' | 'repeat' | 'op';
export interface TraceGroup { name: string; kind: GroupKind; parent: number; first: number; last: number; twin: number; nTwins: number }
export type EventKind = 'forward' | 'backward' | 'rule' | 'leaf' | 'step';
export interface TraceEvent { kind: EventKind; node: number; input: number; tensor: number; seconds: number }
export interface Finding {
  code: string; title: string; cause: string; advice: string; severity: 'note' | 'warning' | 'error'; node: number; tensor: number;
}
export interface Series { name: string; steps: Float32Array; values: Float32Array }

/** One recorded step (ebb_trace_step), decoded. Indices are -1 where there is nothing; see <ebb/view.h> for every field. */
export interface Trace {
  step: number; loss: number; model: string; about: string;
  tensors: TraceTensor[]; nodes: TraceNode[]; inputs: TraceInput[]; groups: TraceGroup[]; events: TraceEvent[];
  findings: Finding[]; series: Series[];
  nStats: number;
  /** Decodes one record of statistics; cheap, nothing is kept. */
  stats(index: number): Stats;
}

/** One check of one op by the verifier, and what became of all of them. */
export interface CheckLine { op: string; check: string; dtype: string; cases: number; margin: number; result: 'passed' | 'failed' | 'skipped'; message: string }
export interface Certificate {
  ok: boolean; plugin: string; doc: string; ops: { name: string; math: string; doc: string; sig: string }[];
  checks: CheckLine[]; passed: number; failed: number; skipped: number;
  /** SHA-256 of the file, hexadecimal. */
  hash: string; bytes: number; imports: string[]; message: string; ms: number;
}

/** Analytic beside numeric derivatives of one operand of one node, and the verifier's verdict on the op. */
export interface Derivative {
  op: string; operand: string;
  rows: { element: number; analytic: number; numeric: number; allowed: number; passed: boolean }[];
}

/** Input data of some examples and what the model says to them. */
export interface Examples { x: Float32Array; xShape: number[]; y: Float32Array; p: Float32Array | null; pShape: number[] }

/** The value of `predict` over a grid of the plane: rows x cols of `classes` numbers each (1: one number). */
export interface Boundary {
  cols: number; rows: number; classes: number; values: Float32Array;
  xMin: number; xMax: number; yMin: number; yMax: number;
  /** The points of the training part (at most 1,000): x, y in turn, and their labels. */
  points: Float32Array; labels: Float32Array;
}

/** Name -> the arguments of the request and its result. The client has a method of each name: engine.load({text}). */
export interface Requests {
  /** Reads a model and runs it once. A problem in the text is a result, not a failure: the model that was there stays. */
  load: { args: { text: string; seed?: number }; result: { info?: ModelInfo; problem?: Problem } };
  /** Reads a model only to find problems, for the editor; the one that is loaded stays. */
  lint: { args: { text: string }; result: { problem: Problem | null } };
  /** Trains for up to `ms` milliseconds or `most` steps. */
  train: { args: { ms?: number; most?: number; ratios?: boolean }; result: Steps };
  /** Parameters, optimizer and data as just after load. */
  restart: { args: {}; result: {} };
  /** Does one training step under the recorder (of a model that does not train: one run and its backward). `file`: a trace file with this one frame. */
  record: { args: { series?: Series[] }; result: { file: ArrayBuffer; steps: Steps } };
  /** Checks a trace file and keeps it as the one `layout` is asked about. Frames: how many it has. */
  openTrace: { args: { file: ArrayBuffer }; result: { frames: number } };
  /** Draws frame `frame` of the trace that was recorded or opened last. */
  layout: { args: { frame?: number; open?: Uint8Array; right?: boolean; charWidth?: number }; result: Layout };
  /** One SVG document of the same drawing. */
  svg: { args: { frame?: number; open?: Uint8Array; right?: boolean }; result: { text: string } };
  /** Many frames as one file, for saving. */
  joinTraces: { args: { files: ArrayBuffer[] }; result: { file: ArrayBuffer } };
  /** A part of a tensor of the last record, while it is live: the last two dims of the slice at `index`. `part`: the gradient that this operand
   *  gave, instead of the tensor's. */
  window: { args: { tensor: number; grad?: boolean; part?: number; index?: number[]; row?: number; col?: number; rows?: number; cols?: number }; result: Window };
  /** Analytic beside numeric for operand `operand` of node `node` of the last record, by this engine. */
  derivative: { args: { node: number; operand: number; most?: number }; result: Derivative };
  examples: { args: { held: boolean; first: number; n: number; predict?: boolean }; result: Examples };
  boundary: { args: { cols: number; rows: number }; result: Boundary };
  evaluate: { args: {}; result: { metrics: number[]; loss: number } };
  /** Words of the language, ops and datasets, for the editor's completion. */
  words: { args: {}; result: { word: string; kind: string; doc: string }[] };
  /** Datasets the engine has no generator for are given by the page: the bytes of two IDX files. */
  dataset: { args: { name: string; images: ArrayBuffer; labels: ArrayBuffer; scale: number }; result: {} };
  memory: { args: {}; result: { wasm: number; inUse: number; peak: number; held: number } };
  about: { args: {}; result: { version: string; ops: number; threads: number; full: boolean } };
}

/** Requests that the full engine answers, in a worker of its own that is started when it is first needed. */
export interface FullRequests {
  /** Inspects a plugin's bytes, loads it, verifies every op of it. What is wrong with it is in the certificate, not a failure. */
  plugin: { args: { name: string; bytes: ArrayBuffer }; result: Certificate };
  /** The verifier's twenty checks on one op. */
  verify: { args: { op: string }; result: { ok: boolean; checks: CheckLine[] } };
}

/**
 * The page's side: one method a request. Starts the worker, restarts it after a trap or when it has not answered in time (the model, its datasets
 * and the accepted plugins are loaded again), and tells the page so by `onRestart`.
 */
export interface Engine {
  call<K extends keyof Requests>(name: K, args: Requests[K]['args'], timeoutMs?: number): Promise<Requests[K]['result']>;
  /** A refused plugin leaves everything as it was; an accepted one is loaded into the training engine too (which is then the full one). */
  plugin(name: string, bytes: ArrayBuffer): Promise<Certificate>;
  verify(op: string): Promise<FullRequests['verify']['result']>;
  onRestart: ((why: EngineFailure) => void) | null;
  /** The reason of a rejected promise is an EngineFailure. */
  readonly generation: number;
  close(): void;
}
