// model.ts - workload e in ebb as a model of its language: the page asks for a step with one call, and the engine does the rest.
import { load, type Session, type Tensor } from '../../../build/web/engine/ebb.js';
import { Model, type StepResult } from '../../../build/web/engine/ebb-model.js';
import { Bench, type Trainer } from './page.ts';
import type { Workload } from './workloads.ts';

function rows(values: ArrayLike<number>, [n, width]: number[]): string {
  return JSON.stringify(Array.from({ length: n! }, (_, i) => Array.from({ length: width! }, (_, j) => values[i * width! + j])));
}

class ModelTrainer implements Trainer {
  readonly #model: Model;
  readonly #params: Tensor[];
  readonly #initial: Float32Array[];

  constructor(e: Session, w: Workload) {
    const { batch, params } = w.data(), layers = params.length / 2;
    if (w.optimizer !== 'sgd') throw new Error('a batch of this size does not belong in a text');
    const lines = [`x = ${rows(batch.x, batch.xShape)}`, `y = ${rows(batch.y, batch.yShape)}`];
    params.forEach((p, i) => lines.push(`${i % 2 ? 'b' : 'W'}${i >> 1} = param(${p.shape.join(', ')})`));
    for (let i = 0; i < layers; i++) {
      const layer = `linear(${i ? `h${i - 1}` : 'x'}, W${i}, b${i})`;
      lines.push(`h${i} = ${i + 1 < layers ? `relu(${layer})` : layer}`);
    }
    lines.push(`loss = mse_loss(h${layers - 1}, y)`, `train sgd lr=${w.lr} steps=1000000`);
    this.#model = new Model(e, lines.join('\n'));
    const problem = this.#model.problem();
    if (problem) throw new Error(problem.message);
    this.#model.restart();
    this.#params = e.params();
    this.#initial = params.map((p) => p.values);
  }

  start(): void {
    this.#model.restart();
    this.#params.forEach((p, i) => p.set(this.#initial[i]!));
  }
  step(): StepResult { return this.#model.step(); }
  loss(made: unknown): number { return (made as StepResult).loss; }
}

const session = await load({ wasm: '/ebb-engine.wasm' });
window.bench = new Bench({
  name: `ebb ${session.version}, model language`,
  how: 'one call from JavaScript for each step',
  trainer: (w) => new ModelTrainer(session, w),
  memory: () => session.wasm.u8.buffer.byteLength,
});
