// workloads.ts - the standard workloads as data: batch, initial parameters, what the losses must be. Every framework gets the same.
import { classes, uniform, weights } from './lcg.ts';

export interface Param { shape: number[]; values: Float32Array }
export interface Batch { x: Float32Array | Int32Array; xShape: number[]; y: Float32Array | Int32Array; yShape: number[]; classes: number }
export interface Workload {
  key: Key; what: string;
  steps: number; // of a timed episode
  last: number; // the step of the third reference
  reference: [number, number, number]; // losses of the first, the 10th, the last step
  optimizer: 'adam' | 'sgd'; lr: number;
  data(): { batch: Batch; params: Param[] };
}
export type Key = 'a' | 'b' | 'c' | 'd' | 'e';

/** Of the GPT: parameters are the two embeddings, PER_LAYER for each block, and the last normalisation. */
export const GPT = { layers: 4, heads: 4, width: 128, context: 64, batch: 8, words: 96, perLayer: 12 };

const product = (shape: number[]): number => shape.reduce((a, b) => a * b, 1);
const random = (seed: number, shape: number[], fanIn: number): Param => ({ shape, values: weights(seed, product(shape), fanIn) });
const filled = (n: number, value: number): Param => ({ shape: [n], values: new Float32Array(n).fill(value) });
const linear = (seed: number, out: number, inputs: number): Param[] => [random(seed, [out, inputs], inputs), filled(out, 0)];

function mlp(base: number, size: number[], batch: number, squares: boolean): { batch: Batch; params: Param[] } {
  const out = size.at(-1)!;
  return {
    batch: {
      x: uniform(base, batch * size[0]!), xShape: [batch, size[0]!],
      y: squares ? uniform(base + 1, batch) : classes(base + 1, batch, out), yShape: squares ? [batch, 1] : [batch], classes: out,
    },
    params: size.slice(1).flatMap((n, i) => linear(base + 10 + i, n, size[i]!)),
  };
}

function cnn(): { batch: Batch; params: Param[] } {
  const base = 3000, n = 64;
  return {
    batch: { x: uniform(base, n * 784), xShape: [n, 1, 28, 28], y: classes(base + 1, n, 10), yShape: [n], classes: 10 },
    params: [
      random(base + 10, [32, 1, 3, 3], 9), filled(32, 0), random(base + 11, [64, 32, 3, 3], 288), filled(64, 0),
      ...linear(base + 12, 128, 3136), ...linear(base + 13, 10, 128),
    ],
  };
}

function gpt(): { batch: Batch; params: Param[] } {
  const base = 4000, { layers, width, context, batch, words } = GPT, norm = (): Param[] => [filled(width, 1), filled(width, 0)];
  const block = (i: number): Param[] => {
    const seed = base + 100 * (i + 1);
    return [
      ...norm(), ...linear(seed, 3 * width, width), ...linear(seed + 1, width, width),
      ...norm(), ...linear(seed + 2, 4 * width, width), ...linear(seed + 3, width, 4 * width),
    ];
  };
  return {
    batch: {
      x: classes(base, batch * context, words), xShape: [batch, context], y: classes(base + 1, batch * context, words), yShape: [batch * context],
      classes: words,
    },
    params: [
      random(base + 10, [words, width], width), random(base + 11, [context, width], width),
      ...Array.from({ length: layers }, (_, i) => block(i)).flat(), ...norm(),
    ],
  };
}

const all: Workload[] = [
  { key: 'a', what: 'MLP 784-128-10, batch 64, Adam', steps: 50, last: 100, reference: [2.269752, 1.605078, 0.007809], optimizer: 'adam', lr: 1e-3,
    data: () => mlp(1000, [784, 128, 10], 64, false) },
  { key: 'b', what: 'MLP 784-512-512-10, batch 64, Adam', steps: 30, last: 100, reference: [2.312149, 1.5874, 0.00002], optimizer: 'adam', lr: 1e-3,
    data: () => mlp(2000, [784, 512, 512, 10], 64, false) },
  { key: 'c', what: 'CNN 1-32-64 3x3, 128, batch 64, Adam', steps: 3, last: 30, reference: [2.298917, 2.0305, 0.7916], optimizer: 'adam', lr: 1e-3,
    data: cnn },
  { key: 'd', what: 'GPT 4 x 128, context 64, batch 8, AdamW', steps: 3, last: 30, reference: [4.732863, 2.534193, 0.257426], optimizer: 'adam', lr: 1e-3,
    data: gpt },
  { key: 'e', what: 'MLP 2-16-16-1, batch 8, SGD', steps: 300, last: 100, reference: [0.386564, 0.269704, 0.104151], optimizer: 'sgd', lr: 0.01,
    data: () => mlp(5000, [2, 16, 16, 1], 8, true) },
];
export const WORKLOADS = Object.fromEntries(all.map((w) => [w.key, w])) as Record<Key, Workload>;

/** Whether the losses that were seen are the reference's. The later a loss, the further rounding may have carried it. */
export function agrees(seen: number[], reference: number[]): boolean {
  return seen.every((v, i) => Math.abs(v - reference[i]!) <= [1e-5, 1e-3, 0.05][i]! * reference[i]! + 5e-6);
}
