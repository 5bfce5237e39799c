// trace.test.mjs - trace files: read by the page as the engine wrote them, and whatever their bytes are.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ebb, generator, model } from './setup.mjs';

const TEXT = `data moons batch 32 n=100
def dense(x, n) {
  W = param(size(x, 1), n) ~ kaiming
  return x @ W
}
h = dense(x, 8)
repeat 3 { h = relu(dense(h, 8)) }
loss = cross_entropy(dense(h, 2), y)
train adam lr=0.01 seed=1
`;

/** A session with a model, and the file of one recorded step. */
async function recorded() {
  const e = await ebb.load(), m = new model.Model(e, TEXT);
  assert.equal(m.problem(), null);
  const r = new model.Recording(m);
  let tables = 0;
  e.scope(() => {
    m.step(true);
    tables = r.end();
  });
  return { e, r, file: model.traceFile(e, [tables]) };
}

test('the tables are those of the record', async () => {
  const { e, r, file } = await recorded(), t = model.decodeTrace(file);
  assert.ok(t.nodes.length > 8 && t.events.length > t.nodes.length);
  const repeats = t.groups.filter((g) => g.kind === 'repeat');
  assert.equal(repeats.length, 3);
  t.nodes.forEach((n, i) => {
    for (let k = 0; k < n.nOut; k++) assert.equal(t.tensors[n.firstOut + k].node, i);
    for (let k = 0; k < n.nIn; k++) assert.ok(t.inputs[n.input + k].tensor < n.firstOut || t.inputs[n.input + k].tensor < t.tensors.length);
  });
  let compared = 0;
  t.tensors.forEach((x, i) => {
    if (x.value < 0 || x.dtype !== 'f32') return;
    const s = t.stats(x.value), live = r.tensor(i).toTyped();
    assert.equal(s.n, live.length);
    assert.deepEqual(s.elements, live);
    assert.ok(Math.abs(s.mean - live.reduce((a, b) => a + b, 0) / live.length) < 1e-4);
    assert.equal(s.bins.reduce((a, b) => a + b, 0), s.n - s.nNan - s.nInf);
    compared++;
  });
  assert.ok(compared > 8);
  assert.throws(() => t.stats(t.nStats), /statistics/);
  r.dispose();
  e.close();
});

test('frames keep their order; the engine reads what it wrote', async () => {
  const { e, file } = await recorded(), open = new model.TraceFile(e, file);
  const twice = model.traceFile(e, [open.frame(0), open.frame(0)]);
  assert.equal(model.frameCount(twice), 2);
  assert.deepEqual(JSON.stringify(model.decodeTrace(twice, 1)), JSON.stringify(model.decodeTrace(file)));
  assert.throws(() => model.decodeTrace(twice, 2), /no frame 2 among 2/);
  open.dispose();
  e.close();
});

test('wrong bytes are an error with words, or tables whose indices hold', async () => {
  const { file } = await recorded(), g = generator(3), right = new Uint8Array(file);
  let refused = 0, read = 0;
  for (let i = 0; i < 1500; i++) {
    const bytes = right.slice(), flips = 1 + g.below(3);
    for (let k = 0; k < flips; k++) bytes[g.below(k ? bytes.length : 2000)] = g.below(256);
    try {
      const t = model.decodeTrace(bytes.buffer);
      for (let s = 0; s < Math.min(t.nStats, 5); s++) t.stats(s);
      for (const n of t.nodes) {
        assert.ok(n.input + n.nIn <= t.inputs.length && n.firstOut + n.nOut <= t.tensors.length && n.group < t.groups.length);
      }
      for (const x of t.inputs) assert.ok(x.tensor < t.tensors.length && x.grad < t.nStats);
      read++;
    } catch (error) {
      assert.match(error.message, /^this trace cannot be read: ./);
      refused++;
    }
  }
  for (let n = 0; n < file.byteLength; n += 97) assert.throws(() => model.decodeTrace(file.slice(0, n)), /cannot be read/);
  assert.ok(refused > 100 && read > 100, `${refused} refused, ${read} read`);
});
