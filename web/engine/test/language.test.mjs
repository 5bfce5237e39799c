// language.test.mjs - models, plugins and files of parameters in a page that holds the engine itself.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { built, buffer, ebb, model, plugin } from './setup.mjs';

const TEXT = `data moons batch 32 n=100
W1 = param(2, 6) ~ xavier
h = tanh(x @ W1)
W2 = param(6, 2) ~ xavier
loss = cross_entropy(h @ W2, y)
train adam lr=0.02 seed=3
`;

test('a model: values, steps, derivatives', async () => {
  const e = await ebb.load(), m = new model.Model(e, TEXT);
  assert.equal(m.problem(), null);
  e.scope(() => {
    const loss = m.forward();
    assert.equal(loss.item(), m.value('loss').item());
    assert.deepEqual(m.value('h').shape, [32, 6]);
    assert.equal(m.value('nothing'), null);
  });
  const first = m.step();
  for (let i = 0; i < 60; i++) m.step();
  assert.ok(m.step().loss < first.loss);
  assert.equal(m.stepsDone, 62);
  const rows = m.gradcheck(3);
  assert.deepEqual(new Set(rows.map((r) => r.parameter)), new Set(['W1', 'W2']));
  for (const r of rows) {
    assert.equal(r.passed, true);
    assert.ok(Math.abs(r.analytic - r.numeric) <= r.allowed);
  }
  m.dispose();
  e.close();
});

test('parameters go to a file and back', async () => {
  const e = await ebb.load(), f = await ebb.load();
  for (const s of [e, f]) {
    s.param('b\u00e4', [3], s === e ? [1, 2, 3] : 'zeros');
    s.param('W', [2, 2], 'kaiming', 'f64');
  }
  const file = model.saveParameters(e);
  model.loadParameters(f, file);
  assert.deepEqual(f.params().map((p) => p.toArray()), e.params().map((p) => p.toArray()));
  f.param('more', [1]);
  assert.throws(() => model.loadParameters(f, file), /there is no more in the file/);
  assert.throws(() => model.loadParameters(e, file.subarray(0, file.length - 8)), /W has bytes/);
  for (let n = 0; n < file.length; n += 7) assert.throws(() => model.loadParameters(e, file.subarray(0, n)), /safetensors/);
  const g = await ebb.load();
  g.param('b\u00e4', [4]);
  assert.throws(() => model.loadParameters(g, file), /F32\[3\] in the file, f32\[4\] here/);
});

test('a plugin gives its op to a session of the full engine', async () => {
  const e = await ebb.load({ wasm: buffer(path.join(built, 'ebb-engine-full.wasm')) });
  const c = await model.addPlugin(e, 'my_swish.wasm', plugin('my_swish'), () => {});
  assert.equal(c.ok, true, c.message);
  const x = e.tensor([1, -2]).requiresGrad(), y = e.my_swish(x);
  y.sum().backward();
  for (const [i, v] of [1, -2].entries()) {
    const s = 1 / (1 + Math.exp(-v));
    assert.ok(Math.abs(y.toArray()[i] - v * s) < 1e-6);
    assert.ok(Math.abs(x.grad.toArray()[i] - s * (1 + v * (1 - s))) < 1e-6);
  }
  const lean = await ebb.load(), refused = await model.addPlugin(lean, 'my_swish.wasm', plugin('my_swish'), () => {});
  assert.equal(refused.ok, false);
  assert.match(refused.message, /memcpy|no verifier/); // the lean engine offers no plugin anything
});
