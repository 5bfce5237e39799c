// worker.test.mjs - every request of protocol.ts, as the page asks them: a worker with the engine, and what becomes of it when it fails.
import assert from 'node:assert/strict';
import test from 'node:test';
import { generator, page } from './setup.mjs';

const XOR = `data xor
W1 = param(2, 8) ~ xavier
b1 = param(8)
h = tanh(x @ W1 + b1)
W2 = param(8, 2) ~ xavier
b2 = param(2)
z = h @ W2 + b2
predict p = softmax(z, dim=1)
loss = cross_entropy(z, y)
metric accuracy = accuracy(z, y)
train adam lr=0.05 steps=200 seed=1
`;
const MOONS = XOR.replace('data xor', 'data moons batch 64 noise=0.1');

async function withEngine(f, options = {}) {
  const engine = page.createEngine(options);
  try { return await f(engine); } finally { engine.close(); }
}
const close = (a, b, tolerance) => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b} within ${tolerance}`);

test('load, train, evaluate, restart', () => withEngine(async (engine) => {
  const { info, problem } = await engine.call('load', { text: XOR });
  assert.equal(problem, undefined);
  assert.deepEqual(info.parameterNames, ['W1', 'b1', 'W2', 'b2']);
  assert.deepEqual([info.trains, info.optimizer, info.steps, info.dataset, info.classes, info.parameters, info.plane], [true, 'adam', 200, 'xor', 2, 42, true]);
  assert.deepEqual(info.metrics, ['accuracy']);
  assert.equal(info.generation, 1);
  const first = await engine.call('train', { most: 50, ms: 10_000, ratios: true });
  assert.deepEqual([...first.step], Array.from({ length: 50 }, (_, i) => i + 1));
  for (const column of [first.loss, first.gradNorm, first.lr, ...first.metrics]) assert.equal(column.length, 50);
  assert.equal(first.ratios.length, 4);
  assert.ok(first.ratios[0] > 0 && first.ratios[0] < 1);
  assert.equal(first.stepsDone, 50);
  assert.equal(first.stopped, undefined);
  const rest = await engine.call('train', { most: 150, ms: 60_000 });
  assert.ok(rest.loss.at(-1) < 0.1 && rest.loss.at(-1) < first.loss[0]);
  assert.equal(rest.ratios.length, 0);
  assert.ok((await engine.call('evaluate', {})).loss < 0.1);
  await engine.call('restart', {});
  const again = await engine.call('train', { most: 50, ms: 10_000 });
  assert.deepEqual(again.loss, first.loss, 'the same bits after restart');
  const timed = await engine.call('train', { ms: 30 });
  assert.ok(timed.loss.length >= 1 && timed.ms < 1000);
}));

test('another seed gives another model, the same seed the same', () => withEngine(async (engine) => {
  const losses = [];
  for (const seed of [5, 6, 5]) {
    await engine.call('load', { text: XOR, seed });
    losses.push([...(await engine.call('train', { most: 5, ms: 10_000 })).loss]);
  }
  assert.deepEqual(losses[0], losses[2]);
  assert.notDeepEqual(losses[0], losses[1]);
}));

test('a problem in the text is a result; the model that was there stays', () => withEngine(async (engine) => {
  await engine.call('load', { text: XOR });
  await engine.call('train', { most: 3, ms: 10_000 });
  const wrong = `# \u00e4\u{1d11e} before it\n${XOR.replace('tanh(', 'rleu(')}`;
  for (const r of [await engine.call('load', { text: wrong }), await engine.call('lint', { text: wrong })]) {
    assert.match(r.problem.message, /rleu/);
    assert.match(r.problem.hint, /relu/);
    assert.equal(wrong.slice(r.problem.span.from, r.problem.span.to).slice(0, 4), 'rleu');
    assert.equal(r.problem.span.line, 5);
    assert.equal(r.problem.span.column, 5);
  }
  assert.equal((await engine.call('lint', { text: XOR })).problem, null);
  assert.equal((await engine.call('train', { most: 1, ms: 10_000 })).stepsDone, 4);
}));

test('a loss that is not finite stops training, and is said', () => withEngine(async (engine) => {
  await engine.call('load', { text: XOR.replace('lr=0.05', 'lr=1e38') });
  const steps = await engine.call('train', { most: 100, ms: 10_000 });
  assert.equal(steps.stopped.kind, 'error');
  assert.match(steps.stopped.message, /loss is/);
  assert.ok(steps.loss.length < 100);
}));

test('a record is a trace: tables, layout, SVG, windows, derivatives', () => withEngine(async (engine) => {
  await engine.call('load', { text: XOR });
  const series = [{ name: 'loss', steps: Float32Array.of(1, 2), values: Float32Array.of(0.7, 0.6) }];
  const { file, steps } = await engine.call('record', { series });
  assert.equal(steps.step[0], 1);
  const t = page.decodeTrace(file);
  close(t.loss, steps.loss[0], 1e-6);
  assert.deepEqual(t.tensors.filter((x) => x.kind === 'param').map((x) => x.name).sort(), ['W1', 'W2', 'b1', 'b2']);
  assert.ok(t.nodes.some((n) => n.op === 'tanh' && n.label === 'h'));
  assert.deepEqual([...t.series.find((s) => s.name === 'loss').values], [...series[0].values]);
  const layout = await engine.call('layout', {});
  assert.ok(layout.boxes.length > 5 && layout.wires.length > 5 && layout.width > 0 && layout.height > 0);
  assert.equal(layout.open.length, t.groups.length);
  for (const w of layout.wires) assert.ok(w.points.length >= 4 && layout.boxes[w.from] && layout.boxes[w.to]);
  const right = await engine.call('layout', { open: new Uint8Array(t.groups.length), right: true });
  assert.ok(right.boxes.length <= layout.boxes.length);
  assert.match((await engine.call('svg', {})).text, /^<svg[\s\S]*tanh[\s\S]*<\/svg>\s*$/);

  const h = t.tensors.findIndex((x) => x.name === 'h'), seen = await engine.call('window', { tensor: h });
  assert.deepEqual(seen.shape, t.tensors[h].shape);
  assert.deepEqual([seen.rows, seen.cols], seen.shape);
  const kept = t.stats(t.tensors[h].value);
  assert.deepEqual(seen.values, kept.elements);
  assert.equal(seen.stats.mean, kept.mean);
  assert.deepEqual(seen.stats.bins, kept.bins);
  const grad = await engine.call('window', { tensor: h, grad: true, row: 1, rows: 1 });
  assert.deepEqual(grad.values, t.stats(t.tensors[h].grad).elements.slice(8, 16));
  const node = t.nodes.findIndex((n) => n.op === 'tanh'), part = await engine.call('window', { tensor: 0, part: t.nodes[node].input });
  assert.deepEqual(part.values, t.stats(t.inputs[t.nodes[node].input].grad).elements);
  const d = await engine.call('derivative', { node, operand: 0, most: 6 });
  assert.equal(d.op, 'tanh');
  assert.equal(d.rows.length, 6);
  for (const r of d.rows) {
    assert.equal(r.passed, true);
    close(r.analytic, r.numeric, r.allowed);
  }
  await assert.rejects(engine.call('window', { tensor: 9999 }), (e) => e.kind === 'error');
  await assert.rejects(engine.call('derivative', { node: -1, operand: 0 }), (e) => e.kind === 'error');
  assert.equal((await engine.call('train', { most: 1, ms: 10_000 })).stepsDone, 2, 'and training goes on');
}));

test('a model that does not train is run and recorded', () => withEngine(async (engine) => {
  const { info } = await engine.call('load', { text: 'a = param(3) ~ ones\nl = sum(a * a)\n' });
  assert.equal(info.trains, false);
  const { file, steps } = await engine.call('record', {});
  assert.equal(steps.loss[0], 3);
  const t = page.decodeTrace(file), a = t.tensors.find((x) => x.name === 'a');
  assert.deepEqual([...t.stats(a.grad).elements], [2, 2, 2]);
  await assert.rejects(engine.call('train', {}), (e) => /no train statement/.test(e.message));
}));

test('traces are joined, opened, drawn; bytes that are wrong are refused', () => withEngine(async (engine) => {
  await engine.call('load', { text: XOR });
  const files = [];
  for (let i = 0; i < 3; i++) files.push((await engine.call('record', {})).file);
  const { file } = await engine.call('joinTraces', { files });
  assert.equal(page.frameCount(file), 3);
  assert.deepEqual(files.map((f, i) => page.decodeTrace(file, i).loss), files.map((f) => page.decodeTrace(f).loss));
  assert.deepEqual(await engine.call('openTrace', { file }), { frames: 3 });
  assert.ok((await engine.call('layout', { frame: 2 })).boxes.length > 5);
  await assert.rejects(engine.call('layout', { frame: 3 }), (e) => /no frame 3 among 3/.test(e.message));
  const wrong = file.slice(0);
  new Uint8Array(wrong)[500] ^= 1;
  await assert.rejects(engine.call('openTrace', { file: wrong }), (e) => e.kind === 'error' && e.message.length > 10);
  await assert.rejects(engine.call('openTrace', { file: new ArrayBuffer(10) }), (e) => e.kind === 'error');
  assert.ok((await engine.call('layout', { frame: 1 })).boxes.length > 5, 'the one that was open stays');
}));

test('examples and the boundary of a model of the plane', () => withEngine(async (engine) => {
  await engine.call('load', { text: MOONS });
  await engine.call('train', { most: 100, ms: 60_000 });
  const some = await engine.call('examples', { held: true, first: 2, n: 5, predict: true });
  assert.deepEqual([some.xShape, some.x.length, some.y.length, some.pShape], [[5, 2], 10, 5, [5, 2]]);
  for (let i = 0; i < 5; i++) close(some.p[2 * i] + some.p[2 * i + 1], 1, 1e-5);
  const b = await engine.call('boundary', { cols: 20, rows: 10 });
  assert.deepEqual([b.cols, b.rows, b.classes, b.values.length], [20, 10, 2, 400]);
  assert.equal(b.points.length, 2 * b.labels.length);
  assert.ok(b.points.length > 100 && b.xMin < b.xMax);
  let right = 0; // what the grid says at the place of each point
  for (let i = 0; i < b.labels.length; i++) {
    const c = Math.floor(((b.points[2 * i] - b.xMin) / (b.xMax - b.xMin)) * 20), r = Math.floor(((b.points[2 * i + 1] - b.yMin) / (b.yMax - b.yMin)) * 10);
    right += Number(b.values[2 * (r * 20 + c) + b.labels[i]] > 0.5);
  }
  assert.ok(right / b.labels.length > 0.8, `${right} of ${b.labels.length}`);
}));

test('a dataset of the page\'s is there for every model after it', () => withEngine(async (engine) => {
  const n = 40, g = generator(1), images = new DataView(new ArrayBuffer(16 + 4 * n)), labels = new DataView(new ArrayBuffer(8 + n));
  [0x803, n, 2, 2].forEach((v, i) => images.setUint32(4 * i, v));
  [0x801, n].forEach((v, i) => labels.setUint32(4 * i, v));
  for (let i = 0; i < n; i++) {
    labels.setUint8(8 + i, i % 3);
    for (let k = 0; k < 4; k++) images.setUint8(16 + 4 * i + k, k === i % 3 ? 200 : g.below(50));
  }
  const text = 'data tiny batch 8\nx = input(8, 4)\nW = param(4, 3) ~ xavier\nz = x @ W\npredict p = softmax(z, dim=1)\nloss = cross_entropy(z, y)\ntrain adam lr=0.05 seed=1\n';
  assert.match((await engine.call('load', { text })).problem.message, /tiny/);
  await engine.call('dataset', { name: 'tiny', images: images.buffer, labels: labels.buffer, scale: 255 });
  for (let i = 0; i < 2; i++) {
    const { info, problem } = await engine.call('load', { text });
    assert.equal(problem, undefined);
    assert.deepEqual([info.dataset, info.classes, info.imageRows, info.imageCols, info.nTrain + info.nHeld], ['tiny', 3, 2, 2, n]);
  }
  const steps = await engine.call('train', { most: 60, ms: 60_000 });
  assert.ok(steps.loss.at(-1) < 0.7 * steps.loss[0]);
  await assert.rejects(engine.call('dataset', { name: 'cut', images: images.buffer.slice(0, 30), labels: labels.buffer, scale: 255 }), (e) => e.kind === 'error' && /cut/.test(e.message));
}));

test('words for the editor, memory, about', () => withEngine(async (engine) => {
  const words = await engine.call('words', {}), kinds = new Map(words.map((w) => [w.word, w.kind]));
  for (const [word, kind] of [['relu', 'op'], ['train', 'statement'], ['xor', 'dataset'], ['adam', 'optimizer']]) assert.equal(kinds.get(word), kind, word);
  const m = await engine.call('memory', {});
  assert.ok(m.wasm >= m.held && m.held >= m.inUse && m.inUse > 0);
  const a = await engine.call('about', {});
  assert.ok(a.ops > 380 && a.threads === 1 && a.full === false && /^\d+\.\d+/.test(a.version));
  await assert.rejects(engine.call('train', {}), (e) => /no model is loaded/.test(e.message));
  await assert.rejects(engine.call('nothing', {}), (e) => /no request nothing/.test(e.message));
}));

test('loads leave nothing behind', () => withEngine(async (engine) => {
  const sizes = [];
  for (let i = 0; i < 60; i++) {
    await engine.call('load', { text: MOONS });
    await engine.call('record', {});
    await engine.call('layout', {});
    await engine.call('lint', { text: MOONS + 'oops' });
    if (i >= 20) sizes.push((await engine.call('memory', {})).wasm);
  }
  assert.equal(new Set(sizes).size, 1, `the memory grows: ${[...new Set(sizes)]}`);
}));

test('a model that takes too long is stopped; the one before it is loaded again', () => withEngine(async (engine) => {
  await engine.call('load', { text: XOR });
  const endless = 'a = param(1000, 1000) ~ xavier\nh = a\nrepeat 2000 { h = h @ a }\nloss = sum(h)\n';
  const told = new Promise((resolve) => { engine.onRestart = resolve; });
  await assert.rejects(engine.call('load', { text: endless }, 700), (e) => e.kind === 'hang' && /0\.7 s/.test(e.message));
  assert.equal((await told).kind, 'hang');
  const steps = await engine.call('train', { most: 1, ms: 10_000 });
  assert.equal(steps.stepsDone, 1);
  assert.equal(steps.generation, engine.generation);
}));

test('a module that is no engine is said', () => withEngine(async (engine) => {
  await assert.rejects(engine.call('about', {}), (e) => e.kind === 'load' && /could not be loaded/.test(e.message));
}, { lean: new Uint8Array([1, 2, 3]) }));

test('a module that needs what is not there is said, and the next call tries again', async () => {
  // (module (import "env" "nothing" (func)))
  const needs = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 15, 1, 3, 0x65, 0x6e, 0x76, 7, 0x6e, 0x6f, 0x74, 0x68, 0x69, 0x6e, 0x67, 0, 0);
  await withEngine(async (engine) => {
    for (let i = 0; i < 2; i++) await assert.rejects(engine.call('about', {}), (e) => e.kind === 'load' && /could not be started.*nothing/.test(e.message));
  }, { lean: needs });
});

test('a module without an engine in it is said; one for threads that cannot be started gives way to one thread', async () => {
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  await withEngine((engine) => assert.rejects(engine.call('about', {}), (e) => e.kind === 'load' && /could not be started/.test(e.message)), { lean: empty });
  await withEngine(async (engine) => {
    assert.ok((await engine.call('load', { text: XOR })).info);
    assert.equal((await engine.call('about', {})).threads, 1);
  }, { threaded: empty, threads: 2 });
});
