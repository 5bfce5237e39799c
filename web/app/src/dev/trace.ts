// trace.ts - development stand-in: a made-up trace of a small network (or of a long chain of blocks, for speed).
import type { Stats, Trace, TraceEvent, TraceGroup, TraceInput, TraceNode, TraceTensor } from '@engine/protocol';

function random(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function makeStats(seed: number, shape: number[], scale: number): Stats {
  const r = random(seed);
  const cols = Math.min(64, shape.at(-1) ?? 1), rows = Math.min(64, shape.at(-2) ?? 1);
  const pixels = Float32Array.from({ length: rows * cols }, () => (r() + r() + r() - 1.5 + 0.2 * (r() - 0.5)) * scale);
  const n = shape.reduce((a, b) => a * b, 1);
  let min = Infinity, max = -Infinity, sum = 0, squares = 0;
  for (const v of pixels) { min = Math.min(min, v); max = Math.max(max, v); sum += v; squares += v * v; }
  const mean = sum / pixels.length;
  const bins = new Uint32Array(32);
  for (const v of pixels) bins[Math.min(31, Math.floor(((v - min) / (max - min || 1)) * 32))]!++;
  const std = Math.sqrt(Math.max(0, squares / pixels.length - mean * mean));
  return { min, max, mean, std, norm: Math.sqrt(squares / pixels.length * n), n, nNan: 0, nInf: 0, nZero: 0, firstBad: -1, bins, rows, cols, pixels, elements: n <= 4096 ? pixels : null };
}

export function makeTrace(step: number, loss: number, text: string, size: number): Trace {
  const tensors: TraceTensor[] = [], nodes: TraceNode[] = [], inputs: TraceInput[] = [], groups: TraceGroup[] = [], events: TraceEvent[] = [];
  const stats: { seed: number; shape: number[]; scale: number }[] = [];
  const stat = (shape: number[], scale: number): number => stats.push({ seed: stats.length * 7919 + step, shape, scale }) - 1;
  const leaf = (name: string, kind: TraceTensor['kind'], shape: number[]): number =>
    tensors.push({ name, kind, dtype: 'f32', shape, node: -1, out: 0, value: stat(shape, 1), grad: -1, needsGrad: kind === 'param', after: kind === 'param' ? stat(shape, 1) : -1 }) - 1;
  let group = -1;
  const op = (name: string, attrs: string, math: string, label: string, ins: number[], shape: number[]): number => {
    const node = nodes.length;
    nodes.push({ op: name, attrs, math, label, group, input: inputs.length, nIn: ins.length, firstOut: tensors.length, nOut: 1, onTape: true, line: 3 + (node % 9), column: 1, endLine: 3 + (node % 9), endColumn: 20 });
    for (const t of ins) inputs.push({ tensor: t, grad: -1 });
    const needsGrad = ins.some((t) => tensors[t]!.needsGrad);
    nodes[node]!.onTape = needsGrad;
    return tensors.push({ name: label, kind: 'value', dtype: 'f32', shape, node, out: 0, value: stat(shape, 1), grad: -1, needsGrad, after: -1 }) - 1;
  };
  const inGroup = <T>(name: string, kind: TraceGroup['kind'], body: () => T): T => {
    const id = groups.push({ name, kind, parent: group, first: nodes.length, last: 0, twin: groups.length, nTwins: 1 }) - 1;
    const outer = group;
    group = id;
    const result = body();
    groups[id]!.last = nodes.length;
    group = outer;
    return result;
  };
  const linear = (name: string, x: number, from: number, to: number): number => {
    const w = leaf(`${name}/W`, 'param', [from, to]), b = leaf(`${name}/b`, 'param', [to]);
    return op('add', '', 'x + y', '', [op('matmul', '', 'x . y', '', [x, w], [64, to]), b], [64, to]);
  };
  const x = leaf('x', 'input', [64, 2]), y = leaf('y', 'input', [64]);
  const scaled = op('div', '', 'x / y', '', [op('sub', '', 'x - y', '', [x, leaf('', 'const', [2])], [64, 2]), leaf('', 'const', [2])], [64, 2]);
  let h = inGroup('layer.1', 'region', () => op('tanh', '', 'tanh(x)', 'h', [linear('layer.1', scaled, 2, 24)], [64, 24]));
  if (size) {
    const first = groups.length;
    for (let k = 0; nodes.length < size - 20; k++) {
      const before = h;
      h = inGroup('block', 'repeat', () => op('add', '', 'x + y', '', [before, op('relu', '', 'max(x, 0)', '', [linear(`block.${k}`, h, 24, 24)], [64, 24])], [64, 24]));
    }
    for (let g = first; g < groups.length; g++) Object.assign(groups[g]!, { twin: first, nTwins: groups.length - first });
  }
  h = inGroup('layer.2', 'region', () => op('relu', '', 'max(x, 0)', 'h', [linear('layer.2', h, 24, 24)], [64, 24]));
  const skip = op('add', '', 'x + y', 'skip', [h, op('mul', '', 'x * y', '', [op('sigmoid', '', '1 / (1 + exp(-x))', 'gate', [h], [64, 24]), h], [64, 24])], [64, 24]);
  const logits = linear('out', skip, 24, 3);
  const ce = inGroup('cross_entropy', 'op', () => {
    const shifted = op('sub', '', 'x - y', '', [logits, op('max', 'dim=1,keepdim=1', 'max of x', '', [logits], [64, 1])], [64, 3]);
    const lse = op('log', '', 'log(x)', '', [op('sum', 'dim=1,keepdim=1', 'sum of x', '', [op('exp', '', 'exp(x)', '', [shifted], [64, 3])], [64, 1])], [64, 1]);
    const picked = op('gather', 'dim=1', 'x[i]', '', [op('sub', '', 'x - y', '', [shifted, lse], [64, 3]), y], [64, 1]);
    return op('neg', '', '-x', '', [op('mean', '', 'mean of x', '', [picked], [])], []);
  });
  const l2 = op('mul', '', 'x * y', 'decay', [op('sum', '', 'sum of x', '', [op('square', '', 'x * x', '', [2 + 2], [24, 24])], []), leaf('', 'const', [])], []);
  const total = op('add', '', 'x + y', 'loss', [ce, l2], []);

  let seconds = 0;
  const happen = (e: Omit<TraceEvent, 'seconds'>): void => { events.push({ ...e, seconds: seconds += 2e-6 }); };
  nodes.forEach((_, node) => happen({ kind: 'forward', node, input: -1, tensor: -1 }));
  happen({ kind: 'backward', node: -1, input: -1, tensor: total });
  tensors[total]!.grad = stat([], 1);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (!node.onTape) continue;
    for (let k = node.input; k < node.input + node.nIn; k++) {
      const t = tensors[inputs[k]!.tensor]!;
      if (!t.needsGrad) continue;
      const scale = 10 ** (-1 - 4 * (1 - i / nodes.length));
      inputs[k]!.grad = stat(t.shape, scale);
      if (t.grad < 0) t.grad = stat(t.shape, scale);
      happen({ kind: 'rule', node: i, input: k, tensor: -1 });
      if (t.kind === 'param') happen({ kind: 'leaf', node: -1, input: -1, tensor: inputs[k]!.tensor });
    }
  }
  happen({ kind: 'step', node: -1, input: -1, tensor: -1 });
  return {
    step, loss, model: text, about: 'stand-in', tensors, nodes, inputs, groups, events, series: [], nStats: stats.length,
    findings: [{ code: 'example', title: 'Small gradients', cause: 'The gradient of layer.1/W is 1e-5 of the loss.', advice: 'Try another initialiser.', severity: 'note', node: 2, tensor: -1 }],
    stats: (i) => makeStats(stats[i]!.seed, stats[i]!.shape, stats[i]!.scale),
  };
}
