// sample.ts - a small trace for tests: y = relu(x @ W) with a group around each op, then the sum of y as the loss, and its backward.
import type { Stats, Trace, TraceEvent, TraceNode, TraceTensor } from '@engine/protocol';

export const stats = (change: Partial<Stats> = {}): Stats => ({
  min: -1, max: 1, mean: 0, std: 0.5, norm: 1, n: 4, nNan: 0, nInf: 0, nZero: 0, firstBad: -1, bins: new Uint32Array(32), rows: 2, cols: 2,
  pixels: new Float32Array(4), elements: null, ...change,
});

const tensor = (name: string, kind: TraceTensor['kind'], node: number, grad: number): TraceTensor =>
  ({ name, kind, dtype: 'f32', shape: [2, 2], node, out: 0, value: 0, grad, needsGrad: grad >= 0, after: -1 });
const node = (op: string, label: string, group: number, input: number, nIn: number, firstOut: number): TraceNode =>
  ({ op, attrs: '', math: '', label, group, input, nIn, firstOut, nOut: 1, onTape: true, line: 0, column: 0, endLine: 0, endColumn: 0 });
const event = (kind: TraceEvent['kind'], of: Partial<TraceEvent>): TraceEvent => ({ kind, node: -1, input: -1, tensor: -1, seconds: 0, ...of });

/** Tensors: 0 x, 1 W, 2 h, 3 y, 4 loss. Nodes: 0 matmul, 1 relu, 2 sum. Inputs: 0 x, 1 W, 2 h, 3 y. */
export const sample = (): Trace => ({
  step: 3, loss: 0.5, model: '', about: '',
  tensors: [tensor('x', 'input', -1, -1), tensor('W', 'param', -1, 1), tensor('', 'value', 0, 1), tensor('y', 'value', 1, 1), tensor('loss', 'value', 2, 1)],
  nodes: [node('matmul', '', 0, 0, 2, 2), node('relu', 'y', 1, 2, 1, 3), node('sum', 'loss', -1, 3, 1, 4)],
  inputs: [{ tensor: 0, grad: -1 }, { tensor: 1, grad: 1 }, { tensor: 2, grad: 1 }, { tensor: 3, grad: 1 }],
  groups: [
    { name: 'layer', kind: 'region', parent: -1, first: 0, last: 1, twin: 0, nTwins: 1 }, { name: 'act', kind: 'region', parent: -1, first: 1, last: 2, twin: 1, nTwins: 1 },
  ],
  events: [
    event('forward', { node: 0 }), event('forward', { node: 1 }), event('forward', { node: 2 }), event('backward', { tensor: 4 }),
    event('rule', { node: 2, input: 3 }), event('rule', { node: 1, input: 2 }), event('rule', { node: 0, input: 1 }), event('leaf', { tensor: 1 }), event('step', {}),
  ],
  findings: [], series: [], nStats: 2,
  stats: (i) => stats({ norm: i + 1 }),
});
