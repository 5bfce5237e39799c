// jax.ts - the workloads in jax-js: the whole step, its gradient and the optimizer in one compiled function, on the wasm backend.
//
// Arrays are consumed by the functions they are given to; `.ref` keeps one for another use.
import { defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { Bench, type Trainer } from './page.ts';
import { GPT, type Key, type Workload } from './workloads.ts';

type A = np.Array;
type Net = (p: A[], x: A) => A;

const affine = (x: A, w: A, b: A): A => np.matmul(x, w).add(b);

function layers(p: A[], x: A, from = 0): A {
  let h = x;
  for (let i = from; i < p.length; i += 2) {
    h = affine(h, p[i]!, p[i + 1]!);
    if (i + 2 < p.length) h = nn.relu(h);
  }
  return h;
}

/** A convolution 3x3 with zeros around, channels last, as one product: the gradient of lax.conv takes minutes. */
function conv(x: A, w: A, b: A): A {
  const [n, height, width, c] = x.shape as [number, number, number, number], wide = np.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]);
  const parts = Array.from({ length: 9 }, (_, k) => {
    const i = Math.floor(k / 3), j = k % 3;
    return wide.ref.slice([], [i, i + height], [j, j + width], []);
  });
  wide.dispose();
  return affine(np.concatenate(parts, 3).reshape([n * height * width, 9 * c]), w, b).reshape([n, height, width, -1]);
}

const cnn: Net = (p, x) => {
  const layer = (h: A, i: number): A => {
    const y = nn.relu(conv(h, p[i]!, p[i + 1]!)), [n, height, width, c] = y.shape as [number, number, number, number];
    return np.max(y.reshape([n, height / 2, 2, width / 2, 2, c]), [2, 4]);
  };
  const h = layer(layer(x, 0), 2); // channels first again, as the weights of the next layer want them
  return layers(p, h.transpose([0, 3, 1, 2]).reshape([64, 3136]), 4);
};

function norm(x: A, w: A, b: A): A {
  const d = x.ref.sub(np.mean(x, -1, { keepdims: true })), v = np.mean(np.square(d.ref), -1, { keepdims: true });
  return d.div(np.sqrt(v.add(1e-5))).mul(w).add(b);
}
function gelu(x: A): A {
  const u = x.ref.add(x.ref.mul(x.ref).mul(x.ref).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(np.tanh(u).add(1));
}

const gpt: Net = (p, x) => {
  const { layers: n, heads, width, context, batch, perLayer } = GPT;
  const mask = np.array(Float32Array.from({ length: context * context }, (_, i) => (i % context <= Math.floor(i / context) ? 0 : -1e9))).reshape([context, context]);
  const headsOf = (t: A): A => t.reshape([batch, context, heads, width / heads]).transpose([0, 2, 1, 3]);
  let h = np.matmul(x, p[0]!.ref).reshape([batch, context, width]).add(p[1]!).reshape([batch * context, width]);
  for (let b = 2; b < 2 + n * perLayer; b += perLayer) {
    const [q, k, v] = np.split(affine(norm(h.ref, p[b]!, p[b + 1]!), p[b + 2]!, p[b + 3]!), 3, 1).map(headsOf);
    const scores = np.matmul(q!, k!.transpose([0, 1, 3, 2])).mul(Math.sqrt(heads / width)).add(mask.ref);
    const a = np.matmul(nn.softmax(scores, -1), v!).transpose([0, 2, 1, 3]).reshape([batch * context, width]);
    h = h.add(affine(a, p[b + 4]!, p[b + 5]!));
    h = h.ref.add(affine(gelu(affine(norm(h, p[b + 6]!, p[b + 7]!), p[b + 8]!, p[b + 9]!)), p[b + 10]!, p[b + 11]!));
  }
  mask.dispose();
  return np.matmul(norm(h, p[2 + n * perLayer]!, p[3 + n * perLayer]!), p[0]!.transpose());
};

const NETS: Record<Key, Net> = { a: layers, b: layers, c: cnn, d: gpt, e: layers };

const crossEntropy = (logits: A, onehot: A): A => {
  const n = logits.shape[0]!;
  return np.sum(nn.logSoftmax(logits, -1).mul(onehot)).mul(-1 / n);
};

interface State { p: A[]; m: A[]; v: A[] }

function stepOf(w: Workload) {
  const lossOf = (p: A[], x: A, y: A): A => {
    const out = NETS[w.key](p, x);
    return w.key === 'e' ? np.mean(np.square(out.sub(y))) : crossEntropy(out, y);
  };
  const sgd = (s: State, x: A, y: A): [A, State] => {
    const [loss, g] = valueAndGrad(lossOf)(tree.ref(s.p), x, y) as [A, A[]];
    return [loss, { p: s.p.map((p, i) => p.sub(g[i]!.mul(w.lr))), m: [], v: [] }];
  };
  /** c1, c2: what the moments are divided by at this step, inverted. */
  const adam = (s: State, x: A, y: A, c1: A, c2: A): [A, State] => {
    const [loss, g] = valueAndGrad(lossOf)(tree.ref(s.p), x, y) as [A, A[]];
    const m = s.m.map((m, i) => m.mul(0.9).add(g[i]!.ref.mul(0.1)));
    const v = s.v.map((v, i) => v.mul(0.999).add(np.square(g[i]!).mul(0.001)));
    const p = s.p.map((p, i) => p.sub(m[i]!.ref.mul(c1.ref).mul(w.lr).div(np.sqrt(v[i]!.ref.mul(c2.ref)).add(1e-8))));
    c1.dispose();
    c2.dispose();
    return [loss, { p, m, v }];
  };
  return w.optimizer === 'sgd' ? { sgd: jit(sgd), adam: null } : { sgd: null, adam: jit(adam) };
}

class JaxTrainer implements Trainer {
  readonly #w: Workload;
  readonly #fn: ReturnType<typeof stepOf>;
  #x: A;
  readonly #y: A;
  #state: State | null = null;
  #t = 0;
  #last: A | null = null;

  constructor(w: Workload) {
    this.#w = w;
    this.#fn = stepOf(w);
    const { x, xShape, y, yShape, classes } = w.data().batch;
    const onehot = (k: Int32Array) => nn.oneHot(np.array(k), classes);
    this.#x = x instanceof Int32Array ? onehot(x) : np.array(x).reshape(xShape);
    if (xShape.length === 4) this.#x = this.#x.transpose([0, 2, 3, 1]);
    this.#y = y instanceof Int32Array ? onehot(y) : np.array(y).reshape(yShape);
  }

  start(): void {
    if (this.#state) tree.dispose(this.#state as never);
    this.#t = 0;
    const adam = this.#w.optimizer === 'adam';
    const p = this.#w.data().params.map(({ shape, values }, i) => {
      const t = np.array(values).reshape(shape);
      if (shape.length === 4) return t.transpose([2, 3, 1, 0]).reshape([9 * shape[1]!, shape[0]!]); // [taps and in, out]
      return shape.length === 2 && !(this.#w.key === 'd' && i < 2) ? t.transpose() : t; // [in, out]
    });
    const zeros = () => (adam ? p.map((t) => np.zeros(t.shape)) : []);
    this.#state = { p, m: zeros(), v: zeros() };
  }

  step(): A {
    const t = ++this.#t, s = this.#state!, x = this.#x.ref, y = this.#y.ref;
    const [loss, next] = this.#fn.sgd
      ? this.#fn.sgd(s as never, x, y)
      : this.#fn.adam!(s as never, x, y, np.array(1 / (1 - 0.9 ** t)), np.array(1 / (1 - 0.999 ** t)));
    this.#state = next as State;
    this.#last?.dispose();
    return (this.#last = loss as A);
  }

  async loss(made: unknown): Promise<number> { return Number(await (made as A).ref.jsAsync()); }
}

await init('wasm');
defaultDevice('wasm');
window.bench = new Bench({ name: 'jax-js 0.1.25', how: 'wasm backend; step, gradient and optimizer in one jit', trainer: (w) => new JaxTrainer(w) });
