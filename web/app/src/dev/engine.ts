// engine.ts - development stand-in for the engine: plausible answers without computing anything. Not shipped.
import type { Engine, Requests, Steps, Trace, Window } from '@engine/protocol';
import type { EngineModule } from '../engine';
import { makeLayout } from './layout';
import { makeTrace } from './trace';

type Answer<K extends keyof Requests> = Requests[K]['result'] | Promise<Requests[K]['result']>;
type Answers = { [K in keyof Requests]: (args: Requests[K]['args']) => Answer<K> };

export function startStandIn(): EngineModule {
  const traces = new Map<string, Trace>();
  let generation = 0, done = 0, text = '', last: Trace | null = null, files = 0;
  const keyOf = (file: ArrayBuffer): string => String(new Float64Array(file)[0]);
  const lossAt = (i: number): number => 0.05 + 1.05 * Math.exp(-i / 400) + 0.03 * Math.sin(i * 12.9898) * Math.exp(-i / 900);
  const train = (n: number, ms: number): Steps => {
    const column = (f: (i: number) => number): Float64Array => Float64Array.from({ length: n }, (_, i) => f(done + i + 1));
    const steps = { generation, step: column((i) => i), loss: column(lossAt), gradNorm: column((i) => 0.5 * Math.exp(-i / 700)), lr: column(() => 0.01), metrics: [column((i) => 1 - lossAt(i) / 1.6)], ratios: Float64Array.from({ length: 6 }, () => 1e-3), ms, stepsDone: done + n };
    done += n;
    return steps;
  };
  const window = (trace: Trace, index: number, shape: number[]): Window => {
    const stats = trace.stats(index);
    return { shape, dtype: 'f32', rows: stats.rows, cols: stats.cols, values: stats.pixels, stats };
  };
  const answers: Answers = {
    load({ text: t }) {
      if (/error/.test(t)) return { problem: { message: 'no op is called rleu', hint: 'did you mean relu?', span: { line: 1, column: 1, endLine: 1, endColumn: 5, from: 0, to: 4 }, call: null } };
      text = t; done = 0; generation++;
      return { info: { generation, trains: true, optimizer: 'adam', steps: 2000, dataset: 'spirals', batch: 64, nTrain: 800, nHeld: 200, classes: 3, parameters: 771, metrics: ['accuracy'], predict: 'logits', plane: true, imageRows: 0, imageCols: 0, parameterNames: ['layer.1/W', 'layer.1/b', 'layer.2/W', 'layer.2/b', 'out/W', 'out/b'] } };
    },
    lint: ({ text: t }) => ({ problem: /error/.test(t) ? { message: 'no op is called rleu', hint: 'did you mean relu?', span: { line: 1, column: 1, endLine: 1, endColumn: 5, from: 0, to: 4 }, call: null } : null }),
    async train({ ms = 30 }) { await new Promise((r) => setTimeout(r, ms)); return train(10, ms); },
    restart() { done = 0; return {}; },
    record() {
      const steps = train(1, 1);
      last = makeTrace(done, lossAt(done), text, Number(/nodes (\d+)/.exec(text)?.[1] ?? 0));
      const file = new Float64Array([++files]).buffer;
      traces.set(keyOf(file), last);
      return { file, steps };
    },
    openTrace({ file }) {
      const trace = traces.get(keyOf(file));
      if (!trace) throw { kind: 'error', message: 'this is not a trace file: its header says 0x00000000' };
      last = trace;
      return { frames: 1 };
    },
    layout: ({ open }) => makeLayout(last!, open),
    svg: () => ({ text: '<svg xmlns="http://www.w3.org/2000/svg"/>' }),
    joinTraces: ({ files: f }) => ({ file: f[0]! }),
    window: ({ tensor, grad }) => window(last!, grad ? last!.tensors[tensor]!.grad : last!.tensors[tensor]!.value, last!.tensors[tensor]!.shape),
    derivative: () => ({ op: 'tanh', operand: 'x', rows: Array.from({ length: 8 }, (_, element) => ({ element, analytic: Math.sin(element), numeric: Math.sin(element) + 1e-9, allowed: 1e-7, passed: true })) }),
    examples: ({ n }) => ({ x: Float32Array.from({ length: 2 * n }, Math.random), xShape: [n, 2], y: new Float32Array(n), p: null, pShape: [] }),
    boundary({ cols, rows }) {
      const turn = Math.min(1, done / 800);
      const values = new Float32Array(cols * rows * 3);
      for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) {
        const x = (2 * c) / (cols - 1) - 1, y = 1 - (2 * r) / (rows - 1);
        const a = Math.atan2(y, x) - turn * 3 * Math.hypot(x, y);
        for (let k = 0; k < 3; k++) values[(r * cols + c) * 3 + k] = (1 + Math.cos(a - (k * 2 * Math.PI) / 3)) / 3;
      }
      const points = new Float32Array(600), labels = new Float32Array(300);
      for (let i = 0; i < 300; i++) {
        const k = i % 3, radius = i / 300, a = 3 * radius + (k * 2 * Math.PI) / 3 + 0.2 * Math.sin(i * 7.3);
        points[2 * i] = radius * Math.cos(a); points[2 * i + 1] = radius * Math.sin(a); labels[i] = k;
      }
      return { cols, rows, classes: 3, values, xMin: -1, xMax: 1, yMin: -1, yMax: 1, points, labels };
    },
    evaluate: () => ({ metrics: [0.9], loss: lossAt(done) }),
    words: () => [{ word: 'relu', kind: 'op', doc: 'max(x, 0)' }],
    dataset: () => ({}),
    memory: () => ({ wasm: 16 << 20, inUse: 1 << 20, peak: 2 << 20, held: 0 }),
    about: () => ({ version: '0.1.0', ops: 200, threads: 1, full: false }),
  };
  const engine: Engine = {
    async call(name, args) {
      await Promise.resolve();
      return (answers[name] as (a: typeof args) => Answer<typeof name>)(args) as Requests[typeof name]['result'];
    },
    plugin: () => Promise.reject({ kind: 'error', message: 'the stand-in loads no plugins' }),
    verify: () => Promise.resolve({ ok: true, checks: [] }),
    onRestart: null,
    get generation() { return generation; },
    close: () => undefined,
  };
  return { engine, decode: (file) => traces.get(keyOf(file))! };
}
