// session.test.mjs - the client: training, gradients, scopes, memory, errors.
import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { array, ebb, generator, network } from './setup.mjs';

const near = (a, b, tolerance) => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b} within ${tolerance}`);

/** Trains for n steps. -> the losses */
function train(e, loss, opt, n) {
  const losses = [];
  for (let i = 0; i < n; i++) {
    losses.push(e.scope(() => {
      const l = loss();
      opt.zeroGrad();
      l.backward();
      opt.step();
      return l.item();
    }));
  }
  return losses;
}

test('training a classifier gives the standard losses (workload a)', async () => {
  const e = await ebb.load(), g = generator(1000), labels = generator(1001);
  const x = e.tensor(array(64 * 784, g.uniform), [64, 784]), y = e.tensor(BigInt64Array.from({ length: 64 }, () => BigInt(labels.below(10))));
  const net = network(e, 1000, [784, 128, 10]), losses = train(e, () => e.cross_entropy(net(x), y), e.optim('adam', { lr: 1e-3 }), 100);
  near(losses[0], 2.269752, 2e-6);
  near(losses[9], 1.605078, 2e-5);
  near(losses[99], 0.007809, 2e-5);
  e.close();
});

test('training a small network gives the standard losses (workload e)', async () => {
  const e = await ebb.load(), g = generator(5000), t = generator(5001);
  const x = e.tensor(array(16, g.uniform), [8, 2]), y = e.tensor(array(8, t.uniform), [8, 1]);
  const net = network(e, 5000, [2, 16, 16, 1]), losses = train(e, () => e.mse_loss(net(x), y), e.optim('sgd', { lr: 0.01 }), 100);
  near(losses[0], 0.386564, 2e-6);
  near(losses[9], 0.269704, 2e-6);
  near(losses[99], 0.104151, 2e-6);
  e.close();
});

test('gradients: of a leaf, functional, of second order', async () => {
  const e = await ebb.load();
  e.scope(() => {
    const x = e.tensor([1, 2, 3]).requiresGrad(), y = e.sum(e.mul(x, e.mul(x, x)));
    assert.equal(x.grad, null);
    y.backward(undefined, { retain: true });
    assert.deepEqual(x.grad.toArray(), [3, 12, 27]);
    const [dx] = e.grad(y, [x], { createGraph: true }), [ddx] = e.grad(dx.sum(), [x]);
    assert.deepEqual(ddx.toArray(), [6, 12, 18]);
    const free = e.noGrad(() => e.mul(x, 2));
    assert.equal(free.needsGrad, false);
  });
  e.close();
});

test('scopes and dispose leave nothing: memory is the same over 10,000 steps', async () => {
  const e = await ebb.load(), x = e.tensor([[1, 2], [3, 4]]), W = e.param('W', [2, 2], 'kaiming'), opt = e.optim('adam', { lr: 1e-3 });
  const step = () => {
    const kept = e.scope(() => {
      const h = e.tanh(e.matmul(x, W)), loss = e.mean(h.mul(h));
      opt.zeroGrad();
      loss.backward();
      opt.step();
      return [loss, e.softmax(h, { dim: 1 })];
    });
    for (const t of kept) t.dispose();
  };
  for (let i = 0; i < 100; i++) step();
  const before = e.memory(), mark = e.wasm.mark;
  for (let i = 0; i < 10_000; i++) step();
  const after = e.memory();
  assert.equal(after.in_use, before.in_use);
  assert.equal(after.held, before.held);
  assert.equal(after.tensors, before.tensors);
  assert.equal(e.wasm.mark, mark, 'the frame of arguments is given back');
  e.close();
});

test('memory grows in the middle of a step, and nothing is lost', async () => {
  const e = await ebb.load(), small = e.tensor([1, 2, 3]), before = e.wasm.memory.buffer;
  const view = small.data;
  e.scope(() => {
    const big = e.add(e.zeros([3000, 3000]), small.reshape([3, 1]).mean());
    assert.equal(big.size, 9e6);
    assert.notEqual(e.wasm.memory.buffer, before, 'it has grown');
    assert.equal(view.length, 0, 'an old view is empty, not wrong');
    assert.equal(big.data[8_999_999], 2);
    const loss = e.sum(e.mul(big, 1));
    assert.equal(loss.item(), 18e6);
  });
  assert.deepEqual(small.toArray(), [1, 2, 3]);
  e.close();
});

test('tensors: dtypes, shapes, views, what is written', async () => {
  const e = await ebb.load();
  assert.equal(e.tensor(new Float64Array([1, 2])).dtype, 'f64');
  assert.equal(e.tensor([true, false]).dtype, 'bool');
  assert.deepEqual(e.tensor([[1, 2], [3, 4]], undefined, 'i64').toArray(), [[1, 2], [3, 4]]);
  assert.deepEqual(e.tensor(5).shape, []);
  const x = e.tensor([[1, 2, 3], [4, 5, 6]]), t = e.t(x);
  assert.deepEqual(t.shape, [3, 2]);
  assert.throws(() => t.data, /strided view/);
  assert.deepEqual(t.toArray(), [[1, 4], [2, 5], [3, 6]]);
  assert.deepEqual([...x.data], [1, 2, 3, 4, 5, 6]);
  x.set([[6, 5, 4], [3, 2, 1]]);
  assert.deepEqual(t.toArray(), [[6, 3], [5, 2], [4, 1]]);
  assert.throws(() => e.tensor([[1, 2], [3]]), /1 at level 2, but 2 before it/);
  assert.throws(() => e.tensor([1, 2, 3], [2]), /3 numbers do not make \[2\]/);
  e.close();
});

test('errors have the words of the engine, and the session goes on', async () => {
  const e = await ebb.load();
  const x = e.tensor([[1, 2], [3, 4]]), y = e.tensor([[1, 2, 3]]);
  assert.throws(() => e.matmul(x, y), (error) => error instanceof ebb.EbbError && error.status === 'shape' && /k is 2 in input\[2,2\] but 1 in other\[1,3\]/.test(error.message));
  assert.throws(() => e.softmax(x, { dmi: 1 }), /softmax has no attribute dmi; did you mean dim\?/);
  assert.throws(() => e.softmax(x, { dim: 'one' }), /attribute dim is an integer, not "one"/);
  assert.throws(() => e.mse_loss(x, x, { reduction: 'most' }), /one of mean\|sum\|none, not "most"/);
  assert.throws(() => e.transpose(x), /without a default/);
  assert.throws(() => e.relu(x, 1), /one too many/);
  assert.throws(() => e.optim('addam'), /addam/);
  assert.throws(() => e.tensor([1, 2]).item(), ebb.EbbError);
  const gone = e.scope(() => { const t = e.relu(x); return () => t; })();
  assert.throws(() => e.relu(gone), /its scope has ended/);
  assert.throws(() => gone.shape, /its scope has ended/);
  const z = e.relu(x);
  z.dispose();
  assert.throws(() => z.toArray(), /disposed of/);
  const W = e.param('W', [2, 2], 'ones');
  W.sum().backward();
  const g = W.grad;
  assert.deepEqual(g.toArray(), [[1, 1], [1, 1]]);
  W.sum().backward();
  assert.throws(() => g.toArray(), /gradients have changed/);
  assert.deepEqual(W.grad.toArray(), [[2, 2], [2, 2]]);
  const other = await ebb.load();
  assert.throws(() => e.add(x, other.tensor([1])), /another session/);
  assert.throws(() => e.scope(async () => 1), /must not be async/);
  assert.deepEqual(e.add(x, 1).toArray(), [[2, 3], [4, 5]], 'after all of these');
  other.close();
  e.close();
  assert.throws(() => x.toArray(), /session was closed/);
});

test('a memory limit is an error, not a growing page', async () => {
  const e = await ebb.load({ memoryLimit: 1 << 20 });
  assert.throws(() => e.zeros([1000, 1000]), (error) => error.status === 'memory' && /memory/.test(error.message));
  assert.deepEqual(e.zeros([2]).toArray(), [0, 0]);
  e.close();
});

test('the same seed gives the same numbers', async () => {
  const e = await ebb.load({ seed: 7 }), f = await ebb.load({ seed: 7n });
  assert.deepEqual(e.randn([5]).toArray(), f.randn([5]).toArray());
  f.seed(8);
  assert.notDeepEqual(e.randn([5]).toArray(), f.randn([5]).toArray());
});

test('parameters, clipping, optimizers over some', async () => {
  const e = await ebb.load(), a = e.param('a', [2], [3, 4]), b = e.param('b', [2], 'ones');
  assert.deepEqual(e.params().map((p) => p.name), ['a', 'b']);
  assert.throws(() => e.param('a', [2]), /a/);
  const opt = e.optim('sgd', { lr: 1 }, [a]);
  e.scope(() => e.sum(e.mul(a, a)).add(e.sum(b)).backward());
  near(e.clipNorm(1), Math.hypot(6, 8, 1, 1), 1e-5);
  near(Math.hypot(...a.grad.toArray(), ...b.grad.toArray()), 1, 1e-6);
  opt.step();
  assert.deepEqual(b.toArray(), [1, 1]);
  assert.notDeepEqual(a.toArray(), [3, 4]);
  opt.zeroGrad();
  assert.equal(a.grad, null);
  opt.dispose();
  e.close();
});

test('a kept tensor that is forgotten is given back, with a warning', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc'), e = await ebb.load(), warned = [], warn = console.warn;
  console.warn = (words) => warned.push(words);
  try {
    (() => { for (let i = 0; i < 20; i++) e.zeros([100]); })();
    const before = e.memory().tensors;
    for (let i = 0; i < 50 && !warned.length; i++) {
      collect();
      await new Promise((resolve) => { setTimeout(resolve, 10); });
    }
    assert.ok(e.memory().tensors < before);
    assert.match(warned[0], /a tensor of \[100\] was kept and forgotten/);
  } finally {
    console.warn = warn;
    e.close();
  }
});
