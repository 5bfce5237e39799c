// tf.ts - the workloads in TensorFlow.js, tuned: its products of transposed matrices are slow, so every product has a gradient that transposes first.
//
// The same for convolutions, whose gradient to the filter its wasm backend lacks, and to the input is slow: as products and as convolutions.
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import * as tf from '@tensorflow/tfjs-core';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { Bench, type Trainer } from './page.ts';
import { GPT, type Key, type Param, type Workload } from './workloads.ts';

type T = tf.Tensor;
type Net = (p: T[], x: T) => T;

const transposed = (x: T): T => tf.transpose(x, x.rank === 4 ? [0, 1, 3, 2] : [1, 0]);

/** a*b of matrices, or of batches of them. */
const product = tf.customGrad((...args) => {
  const [a, b, save] = args as unknown as [T, T, (t: T[]) => void];
  save([a, b]);
  return {
    value: tf.matMul(a, b),
    gradFunc: (g: T, saved: T[]) => [tf.matMul(g, transposed(saved[1]!)), tf.matMul(transposed(saved[0]!), g)],
  };
});

/** x*W + b, the product and the sum in one kernel. */
const affine = tf.customGrad((...args) => {
  const [x, w, b, save] = args as unknown as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D, (t: T[]) => void];
  save([x, w]);
  return {
    value: tf.fused.matMul({ a: x, b: w, bias: b }),
    gradFunc: (g: T, saved: T[]) => [tf.matMul(g, transposed(saved[1]!)), tf.matMul(transposed(saved[0]!), g), tf.sum(g, 0)],
  };
});

/** The nine neighbours of every place, [n*h*w, 9*c]. */
function patches(x: tf.Tensor4D): T {
  const [n, h, w, c] = x.shape, wide = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]);
  const parts = Array.from({ length: 9 }, (_, k) => tf.slice(wide, [0, Math.floor(k / 3), k % 3, 0], [n, h, w, c]));
  return tf.reshape(tf.concat(parts, 3), [n * h * w, 9 * c]);
}

/** A convolution 3x3 with zeros around, channels last. */
const conv = tf.customGrad((...args) => {
  const [x, w, b, save] = args as unknown as [tf.Tensor4D, tf.Tensor4D, tf.Tensor1D, (t: T[]) => void];
  save([x, w]);
  return {
    value: tf.fused.conv2d({ x, filter: w, strides: 1, pad: 'same', bias: b }),
    gradFunc: (g: T, saved: T[]) => {
      const [x0, w0] = saved as [tf.Tensor4D, tf.Tensor4D], out = w0.shape[3], rows = tf.reshape(g, [-1, out]);
      const back = tf.transpose(tf.reverse(w0, [0, 1]), [0, 1, 3, 2]) as tf.Tensor4D;
      const dx = x0.shape[3] === 1 ? tf.zerosLike(x0) : tf.conv2d(g as tf.Tensor4D, back, 1, 'same'); // of the batch itself nobody asks
      return [dx, tf.reshape(tf.matMul(transposed(patches(x0)), rows), w0.shape), tf.sum(rows, 0)];
    },
  };
});

/** The mean cross-entropy of logits against one-hot rows. */
const crossEntropy = tf.customGrad((...args) => {
  const [logits, onehot, save] = args as unknown as [T, T, (t: T[]) => void], p = tf.softmax(logits);
  save([p, onehot]);
  return {
    value: tf.neg(tf.div(tf.sum(tf.log(tf.sum(tf.mul(p, onehot), 1))), logits.shape[0]!)),
    gradFunc: (g: T, saved: T[]) => [tf.mul(tf.sub(saved[0]!, saved[1]!), tf.div(g, logits.shape[0]!)), tf.zerosLike(saved[1]!)],
  };
});

function layers(p: T[], x: T, from = 0): T {
  let h = x;
  for (let i = from; i < p.length; i += 2) {
    h = affine(h, p[i]!, p[i + 1]!);
    if (i + 2 < p.length) h = tf.relu(h);
  }
  return h;
}

const cnn: Net = (p, x) => {
  const layer = (h: T, i: number) => tf.maxPool(tf.relu(conv(h, p[i]!, p[i + 1]!)) as tf.Tensor4D, 2, 2, 'valid');
  const h = layer(layer(x, 0), 2); // channels first again, as the weights of the next layer want them
  return layers(p, tf.reshape(tf.transpose(h, [0, 3, 1, 2]), [64, 3136]), 4);
};

function norm(x: T, w: T, b: T): T {
  const d = tf.sub(x, tf.mean(x, -1, true)), v = tf.mean(tf.square(d), -1, true);
  return tf.add(tf.mul(tf.mul(d, tf.rsqrt(tf.add(v, 1e-5))), w), b);
}
function gelu(x: T): T {
  const u = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(u), 1));
}

const gpt: Net = (p, x) => {
  const { layers: n, heads, width, context, batch, perLayer } = GPT;
  const mask = tf.tensor2d(Float32Array.from({ length: context * context }, (_, i) => (i % context <= Math.floor(i / context) ? 0 : -1e9)), [context, context]);
  const headsOf = (t: T) => tf.transpose(tf.reshape(t, [batch, context, heads, width / heads]), [0, 2, 1, 3]);
  let h = tf.reshape(tf.add(tf.reshape(product(x, p[0]!), [batch, context, width]), p[1]!), [batch * context, width]);
  for (let b = 2; b < 2 + n * perLayer; b += perLayer) {
    const [q, k, v] = tf.split(affine(norm(h, p[b]!, p[b + 1]!), p[b + 2]!, p[b + 3]!), 3, 1).map(headsOf);
    const scores = tf.add(tf.mul(product(q!, tf.transpose(k!, [0, 1, 3, 2])), Math.sqrt(heads / width)), mask);
    const a = tf.reshape(tf.transpose(product(tf.softmax(scores), v!), [0, 2, 1, 3]), [batch * context, width]);
    h = tf.add(h, affine(a, p[b + 4]!, p[b + 5]!));
    h = tf.add(h, affine(gelu(affine(norm(h, p[b + 6]!, p[b + 7]!), p[b + 8]!, p[b + 9]!)), p[b + 10]!, p[b + 11]!));
  }
  return product(norm(h, p[2 + n * perLayer]!, p[3 + n * perLayer]!), tf.transpose(p[0]!));
};

const NETS: Record<Key, Net> = { a: layers, b: layers, c: cnn, d: gpt, e: layers };

/** [out, in] as [in, out], and [out, in, h, w] as [h, w, in, out]; embeddings stay. */
function initialOf(w: Workload): T[] {
  return w.data().params.map((p: Param, i) => tf.tidy(() => {
    const t = tf.tensor(p.values, p.shape);
    if (w.key === 'd' && i < 2) return t;
    return p.shape.length === 2 ? tf.transpose(t) : p.shape.length === 4 ? tf.transpose(t, [2, 3, 1, 0]) : t;
  }));
}

const onehot = (k: Int32Array, n: number): T => tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(k, 'int32'), n), 'float32'));

function batchOf(w: Workload): [T, T] {
  const { x, xShape, y, yShape, classes } = w.data().batch;
  const xs = x instanceof Int32Array ? onehot(x, classes) : tf.tensor(x, xShape);
  const ys = y instanceof Int32Array ? onehot(y, classes) : tf.tensor(y, yShape);
  return [w.key === 'c' ? tf.transpose(xs, [0, 2, 3, 1]) : xs, ys];
}

class TfTrainer implements Trainer {
  readonly #w: Workload;
  readonly #initial: T[];
  readonly #params: tf.Variable[];
  readonly #x: T;
  readonly #y: T;
  #optim: tf.Optimizer | null = null;
  #last: T | null = null;

  constructor(w: Workload) {
    this.#w = w;
    this.#initial = initialOf(w);
    this.#params = this.#initial.map((t) => tf.variable(t));
    [this.#x, this.#y] = batchOf(w);
  }

  start(): void {
    this.#params.forEach((p, i) => p.assign(this.#initial[i]!));
    this.#optim?.dispose();
    this.#optim = this.#w.optimizer === 'sgd' ? tf.train.sgd(this.#w.lr) : tf.train.adam(this.#w.lr, 0.9, 0.999, 1e-8);
  }

  step(): T {
    const made = tf.tidy(() => this.#optim!.minimize(() => {
      const y = NETS[this.#w.key](this.#params, this.#x);
      return (this.#w.key === 'e' ? tf.mean(tf.squaredDifference(y, this.#y)) : crossEntropy(y, this.#y)) as tf.Scalar;
    }, true, this.#params)!);
    this.#last?.dispose();
    return (this.#last = made);
  }

  loss(made: unknown): number { return (made as T).dataSync()[0]!; }
}

setWasmPaths('/tfjs/');
setThreadsCount(1);
await tf.setBackend('wasm');
await tf.ready();
window.bench = new Bench({
  name: `TF.js ${tf.version_core}`,
  how: 'wasm backend with SIMD, one thread; products and convolutions with gradients of their own, tidy',
  trainer: (w) => new TfTrainer(w),
});
