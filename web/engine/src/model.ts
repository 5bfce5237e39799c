// model.ts - a model of the language (<ebb/lang.h>) in a session.
import { C, EBB_MODEL_CHECK, ebb_model_info, EBB_MODEL_INFO, ebb_problem, ebb_step, EBB_SPAN } from './generated/abi.ts';
import type { ModelInfo, Problem, Span } from './protocol.ts';
import { EbbError } from './error.ts';
import type { Session } from './session.ts';
import { Tensor } from './tensor.ts';

/** What one training step did (ebb_step). */
export interface StepResult { step: number; loss: number; lr: number; gradNorm: number; metrics: number[]; finite: boolean }
/** One element of a parameter: its derivative by the tape and by differences (ebb_model_check). */
export interface GradientCheck { parameter: string; element: number; analytic: number; numeric: number; allowed: number; passed: boolean }
interface RawSpan { line: number; column: number; end_line: number; end_column: number; offset: number; length: number }
interface RawInfo {
  trains: boolean; optimizer: string; steps: number; dataset: string; batch: number; n_train: number; n_held: number; classes: number;
  parameters: number; n_metrics: number; predict: string; plane: boolean; image_rows: number; image_cols: number;
}

/** The UTF-16 offset of a byte offset. */
function utf16(text: string, bytes: number): number {
  let at = 0;
  for (let b = 0; b < bytes && at < text.length;) {
    const c = text.codePointAt(at)!;
    b += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    at += c < 0x10000 ? 1 : 2;
  }
  return at;
}

export class Model {
  readonly session: Session;
  readonly text: string;
  /** @internal ebb_model * */ readonly pointer: number;

  constructor(session: Session, text: string, name = 'model') {
    const w = session.wasm;
    this.session = session;
    this.text = text;
    this.pointer = w.withText(text, (p) => w.frame(() => w.x.ebb_model_new(session.pointer, w.text(name), p)));
    if (!this.pointer) throw session.failure() ?? new EbbError('there is no memory for a model', 'memory');
  }

  /** What is wrong with the text; null when nothing is. Asking takes it off the model. */
  problem(): Problem | null {
    const w = this.session.wasm, p = w.x.ebb_model_problem(this.pointer);
    if (!p) return null;
    const word = (at: number) => w.string(w.u32[(p + at) >> 2]!);
    const problem = { message: word(ebb_problem.message), hint: word(ebb_problem.hint), span: this.#span(p + ebb_problem.span), call: this.#span(p + ebb_problem.call) };
    w.x.ebb_model_clear(this.pointer);
    w.x.ebb_error_clear(this.session.pointer);
    return problem;
  }
  #span(p: number): Span | null {
    const s = this.session.wasm.read<RawSpan>(p, EBB_SPAN);
    if (!s.line) return null;
    return { line: s.line, column: s.column, endLine: s.end_line, endColumn: s.end_column, from: utf16(this.text, s.offset), to: utf16(this.text, s.offset + s.length) };
  }

  /** What the text says about training. */
  info(): Omit<ModelInfo, 'generation'> {
    const w = this.session.wasm, m = this.pointer, x = w.x;
    const i = w.frame(() => {
      const p = w.struct(ebb_model_info.SIZE);
      x.ebb_model_info_of(m, p);
      return w.read<RawInfo>(p, EBB_MODEL_INFO);
    });
    return {
      trains: i.trains, optimizer: i.optimizer, steps: i.steps, dataset: i.dataset, batch: i.batch, nTrain: i.n_train, nHeld: i.n_held, classes: i.classes,
      parameters: i.parameters, metrics: Array.from({ length: i.n_metrics }, (_, k) => w.string(x.ebb_model_metric_name(m, k))), predict: i.predict,
      plane: i.plane, imageRows: i.image_rows, imageCols: i.image_cols, parameterNames: this.session.params().map((t) => t.name),
    };
  }

  /** One training step; `open`: what it makes belongs to the scope that is open. Throws what the engine says, but for a loss that is not finite. */
  step(open = false): StepResult {
    const w = this.session.wasm;
    this.session.gradsChange();
    return w.frame(() => {
      const p = w.struct(ebb_step.SIZE), status = open ? w.x.ebb_model_step_open(this.pointer, p) : w.x.ebb_model_step(this.pointer, p);
      const finite = status !== C.EBB_E_VALUE;
      if (finite) this.#check(status);
      else w.x.ebb_error_clear(this.session.pointer);
      const number = (at: number) => w.f64[(p + at) >> 3]!;
      return {
        step: w.i64(p + ebb_step.step), loss: number(ebb_step.loss), lr: number(ebb_step.lr), gradNorm: number(ebb_step.grad_norm),
        metrics: Array.from(w.f64.subarray((p + ebb_step.metric) >> 3, (p + ebb_step.seconds) >> 3)), finite,
      };
    });
  }
  /** Throws the problem of the text, if that is what failed, else the session's error. */
  #check(status: number): void {
    if (!status) return;
    const error = this.session.failure();
    this.session.wasm.x.ebb_model_clear(this.pointer);
    throw error ?? new EbbError('the model failed');
  }
  #tensor(make: () => number): Tensor {
    try { return this.session.made(make); } finally { this.session.wasm.x.ebb_model_clear(this.pointer); }
  }

  /** Runs the statements on the current batch. -> the loss, or the value of the last statement. */
  forward(): Tensor { return this.#tensor(() => this.session.wasm.x.ebb_model_forward(this.pointer)); }
  /** What a name of the text had at the end of the last run; null when nothing has it. Valid as long as the scope of that run. */
  value(name: string): Tensor | null {
    const w = this.session.wasm, p = w.frame(() => w.x.ebb_model_value(this.pointer, w.text(name)));
    return p ? new Tensor(this.session, p, this.session.scopeOwner ?? this.session.always) : null;
  }
  /** Compares the derivatives of the loss with differences, in some elements of each parameter. */
  gradcheck(elements = 0): GradientCheck[] {
    const w = this.session.wasm, rows: GradientCheck[] = [];
    const report = w.callback('ii', '', (_user, c) => { rows.push(w.read<GradientCheck>(c!, EBB_MODEL_CHECK)); });
    try {
      const status = w.x.ebb_model_gradcheck(this.pointer, elements, report.pointer, 0), error = this.session.failure();
      if (status && status !== C.EBB_E_VERIFY) throw error ?? new EbbError('gradcheck failed');
      return rows;
    } finally { report.drop(); }
  }
  get stepsDone(): number { return Number(this.session.wasm.x.ebb_model_steps_done(this.pointer)); }
  /** Parameters, optimizer, random numbers and batches as at first. */
  restart(): void {
    this.session.gradsChange();
    this.#check(this.session.wasm.x.ebb_model_restart(this.pointer));
  }
  /** The same with another seed, which goes before the one of the text. */
  reseed(seed: number): void {
    this.session.gradsChange();
    this.#check(this.session.wasm.x.ebb_model_reseed(this.pointer, BigInt(seed)));
  }
  /** The metrics over the examples held back, and the loss. */
  evaluate(): { metrics: number[]; loss: number } {
    const w = this.session.wasm, n = this.info().metrics.length;
    return w.frame(() => {
      const p = w.alloc(8 * (n + 1));
      this.#check(w.x.ebb_model_evaluate(this.pointer, n + 1, p));
      return { metrics: Array.from(w.f64.subarray(p >> 3, (p >> 3) + n)), loss: w.f64[(p >> 3) + n]! };
    });
  }
  /** The value of `predict` for these x. */
  predict(x: Tensor): Tensor { return this.#tensor(() => this.session.wasm.x.ebb_model_predict(this.pointer, x.live)); }
  /** Some examples, of those held back or of the training part. Inside a scope. */
  examples(held: boolean, first: number, n: number): { x: Tensor; y: Tensor } {
    const w = this.session.wasm;
    return w.frame(() => {
      const p = w.alloc(4);
      const x = this.#tensor(() => w.x.ebb_model_examples(this.pointer, Number(held), BigInt(first), BigInt(n), p));
      return { x, y: new Tensor(this.session, w.u32[p >> 2]!, this.session.scopeOwner!) };
    });
  }
  dispose(): void { this.session.wasm.x.ebb_model_free(this.pointer); }
}
