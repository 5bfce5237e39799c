// threads.test.mjs - the engine on several threads: the same bits for any number of them, and small models stay on one.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { built, page } from './setup.mjs';

const skip = existsSync(path.join(built, 'ebb-engine-threads.wasm')) ? false : 'the threaded module was not built (wasm-ld and wasm-opt make it)';
const WIDE = `data spirals batch 256 n=512
W1 = param(2, 300) ~ xavier
h = tanh(x @ W1)
W2 = param(300, 300) ~ xavier
h = gelu(h @ W2)
W3 = param(300, 2) ~ xavier
loss = cross_entropy(h @ W3, y)
train adamw lr=0.01 seed=1
`;

/** Losses and the last parameters' window after some steps. */
async function train(threads, text, steps) {
  const engine = page.createEngine({ threads });
  try {
    const { problem } = await engine.call('load', { text });
    assert.equal(problem, undefined);
    const { loss, gradNorm } = await engine.call('train', { most: steps, ms: 60_000 });
    const { file } = await engine.call('record', {}), about = await engine.call('about', {});
    const t = page.decodeTrace(file), W = t.tensors.findIndex((x) => x.name === 'W2');
    return { loss, gradNorm, weights: (await engine.call('window', { tensor: W, rows: 64, cols: 64 })).values, threads: about.threads };
  } finally { engine.close(); }
}

test('the same bits for one, two, three and five threads', { skip }, async () => {
  const one = await train(1, WIDE, 6);
  assert.equal(one.threads, 1);
  for (const n of [2, 3, 5]) {
    const some = await train(n, WIDE, 6);
    assert.equal(some.threads, n);
    assert.deepEqual(some.loss, one.loss);
    assert.deepEqual(some.gradNorm, one.gradNorm);
    assert.deepEqual(some.weights, one.weights);
  }
});

test('many steps of a small model, and a plugin afterwards', { skip }, async () => {
  const engine = page.createEngine({ threads: 2 });
  try {
    await engine.call('load', { text: WIDE.replaceAll('300', '8') });
    const { loss } = await engine.call('train', { most: 300, ms: 60_000 });
    assert.ok(loss.at(-1) < loss[0]);
    const r = await engine.verify('relu');
    assert.equal(r.ok, true);
  } finally { engine.close(); }
});

test('threads chosen for each model: another engine takes its place, requests on their way are answered', { skip }, async () => {
  const asked = [], engine = page.createEngine({ threads: (info) => { asked.push(info.parameters); return info.parameters > 1000 ? 2 : 1; } });
  const threads = async () => (await engine.call('about', {})).threads;
  engine.onRestart = (why) => assert.fail(why.message);
  try {
    await engine.call('load', { text: WIDE.replaceAll('300', '8') });
    assert.equal(await threads(), 1);
    const polled = Array.from({ length: 5 }, () => engine.call('memory', {}));
    const [a, b] = await Promise.all([engine.call('load', { text: WIDE }), engine.call('load', { text: WIDE.replaceAll('300', '200') })]);
    assert.ok((await Promise.all(polled)).every((m) => m.inUse > 0));
    assert.deepEqual([a.info.parameters, b.info.parameters], [91200, 40800]);
    assert.equal(await threads(), 2);
    assert.equal(engine.generation, b.info.generation);
    const steps = await engine.call('train', { most: 2, ms: 60_000 });
    assert.deepEqual([steps.generation, steps.stepsDone], [b.info.generation, 2]);
    assert.equal((await engine.call('load', { text: WIDE.replaceAll('300', '8') })).info.parameters, 96);
    assert.equal(await threads(), 1);
    assert.ok(asked.length >= 4);
  } finally { engine.close(); }
});
