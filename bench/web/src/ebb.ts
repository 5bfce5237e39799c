// ebb.ts - the workloads in ebb, through the typed client: every op, backward and the optimizer is a call from JavaScript.
import { load, type Optimizer, type Session, type Tensor } from '../../../build/web/engine/ebb.js';
import { Bench, type Trainer } from './page.ts';
import { GPT, type Batch, type Key, type Workload } from './workloads.ts';

type Net = (p: Tensor[], x: Tensor) => Tensor;

function layers(p: Tensor[], x: Tensor, from = 0): Tensor {
  let h = x;
  for (let i = from; i < p.length; i += 2) {
    h = h.linear(p[i]!, p[i + 1]!);
    if (i + 2 < p.length) h = h.relu();
  }
  return h;
}

const cnn: Net = (p, x) => {
  const layer = (h: Tensor, i: number) => h.conv2d(p[i]!, p[i + 1]!, { padding: 1 }).relu().max_pool2d({ kernel_size: 2 })[0]!;
  return layers(p, layer(layer(x, 0), 2).flatten({ start_dim: 1 }), 4);
};

const gpt: Net = (p, x) => {
  const { layers: n, heads, width, context, batch, perLayer } = GPT;
  const norm = (h: Tensor, i: number) => h.layer_norm(p[i]!, p[i + 1]!, { normalized_shape: [width] });
  const headsOf = (h: Tensor, part: number) =>
    h.narrow({ dim: 2, start: part * width, length: width }).reshape({ shape: [batch, context, heads, width / heads] }).transpose({ dim0: 1, dim1: 2 });
  let h = x.embedding(p[0]!).add(p[1]!);
  for (let b = 2; b < 2 + n * perLayer; b += perLayer) {
    const qkv = norm(h, b).linear(p[b + 2]!, p[b + 3]!);
    const a = headsOf(qkv, 0).scaled_dot_product_attention(headsOf(qkv, 1), headsOf(qkv, 2), { is_causal: true });
    h = h.add(a.transpose({ dim0: 1, dim1: 2 }).reshape({ shape: [batch, context, width] }).linear(p[b + 4]!, p[b + 5]!));
    h = h.add(norm(h, b + 6).linear(p[b + 8]!, p[b + 9]!).gelu({ approximate: 'tanh' }).linear(p[b + 10]!, p[b + 11]!));
  }
  return norm(h, 2 + n * perLayer).linear(p[0]!).reshape({ shape: [batch * context, GPT.words] });
};

const NETS: Record<Key, Net> = { a: layers, b: layers, c: cnn, d: gpt, e: layers };

class EbbTrainer implements Trainer {
  readonly #e: Session;
  readonly #w: Workload;
  readonly #params: Tensor[];
  readonly #initial: Float32Array[];
  readonly #x: Tensor;
  readonly #y: Tensor;
  #optim: Optimizer | null = null;

  constructor(e: Session, w: Workload) {
    const { batch, params } = w.data();
    this.#e = e;
    this.#w = w;
    this.#initial = params.map((p) => p.values);
    this.#params = params.map((p, i) => e.param(`${w.key}${i}`, p.shape, p.values));
    [this.#x, this.#y] = inputs(e, batch);
  }

  start(): void {
    this.#params.forEach((p, i) => p.set(this.#initial[i]!));
    this.#optim?.dispose();
    this.#optim = this.#e.optim(this.#w.optimizer, { lr: this.#w.lr }, this.#params);
  }

  step(): Tensor {
    this.#last?.dispose();
    return (this.#last = this.#e.scope(() => {
      const y = NETS[this.#w.key](this.#params, this.#x);
      const loss = this.#w.key === 'e' ? y.mse_loss(this.#y) : y.cross_entropy(this.#y);
      this.#optim!.zeroGrad();
      loss.backward();
      this.#optim!.step();
      return loss;
    }));
  }
  #last: Tensor | null = null;

  loss(made: unknown): number { return (made as Tensor).item(); }
}

function inputs(e: Session, b: Batch): [Tensor, Tensor] {
  const put = (v: Float32Array | Int32Array, shape: number[]) =>
    (v instanceof Float32Array ? e.tensor(v, shape) : e.tensor(BigInt64Array.from(v, BigInt), shape)).keep();
  return [put(b.x, b.xShape), put(b.y, b.yShape)];
}

const session = await load({ wasm: '/ebb-engine.wasm' });
window.bench = new Bench({
  name: `ebb ${session.version}`,
  how: 'the typed client: one call from JavaScript for each op, backward and the step',
  trainer: (w) => new EbbTrainer(session, w),
  memory: () => session.wasm.u8.buffer.byteLength,
});
