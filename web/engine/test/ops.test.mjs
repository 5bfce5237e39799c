// ops.test.mjs - every op of the registry as a method; attributes packed by the client as the engine would read them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ebb } from './setup.mjs';

const e = await ebb.load();
const all = Array.from({ length: e.wasm.x.ebb_op_count(e.pointer) }, (_, i) => e.ops.infoAt(i));

test('every op is a method of the session, and none hides behind another member', () => {
  assert.ok(all.length > 380, `${all.length} ops`);
  for (const { name } of all) {
    assert.equal(typeof e[name], 'function', name);
    assert.ok(!(name in ebb.Session.prototype), `${name} is a method of Session already`);
  }
});

test('operands: optional, without a fixed number, numbers; several outputs; in place', () => {
  const x = e.tensor([[3, 1], [2, 4]]);
  assert.deepEqual(e.cat([x, x], { dim: 1 }).shape, [2, 4]);
  assert.deepEqual(e.einsum([x, x], 'ij,jk->ik').toArray(), [[11, 7], [14, 18]]);
  assert.deepEqual(e.clamp(x, null, null, { min: 2, max: 3 }).toArray(), [[3, 2], [2, 3]]);
  assert.deepEqual(e.clamp(x, { min: 2 }).toArray(), [[3, 2], [2, 4]]);
  assert.deepEqual(e.clamp(x, 2, 3).toArray(), [[3, 2], [2, 3]]);
  assert.deepEqual(e.sub(10, x).toArray(), [[7, 9], [8, 6]]);
  assert.deepEqual(e.layer_norm(x, { normalized_shape: [2] }).shape, [2, 2]);
  const [values, places] = e.max(x, { dim: 1 });
  assert.deepEqual([values.toArray(), places.toArray()], [[3, 4], [0, 1]]);
  assert.deepEqual(e.unbind(x, 0).map((t) => t.toArray()), [[3, 1], [2, 4]]);
  assert.deepEqual(e.reshape(x, [4]).toArray(), [3, 1, 2, 4]);
  assert.deepEqual(x.matmul(x).toArray(), e.matmul(x, x).toArray());
  assert.equal(e.mul_(x, 2), x);
  assert.deepEqual(x.toArray(), [[6, 2], [4, 8]]);
  assert.deepEqual(e.arange(0, 3).toArray(), [0, 1, 2]);
  assert.deepEqual(e.arange({ end: 3, dtype: 'i64' }).dtype, 'i64');
});

test('an op that has nothing to do gives the tensor itself', () => {
  const x = e.tensor([1, 2]), same = e.contiguous(x);
  assert.equal(same, x);
  assert.equal(e.scope(() => e.contiguous(x)), x);
  assert.deepEqual(x.toArray(), [1, 2]);
});

test('packed defaults are those of the engine', () => {
  const w = e.wasm;
  let compared = 0;
  for (const info of all) {
    const given = Object.fromEntries(info.attrs.filter((a) => a.def !== null && a.name !== 'key').map((a) => [a.name, a.def]));
    if (!info.attrs.length || info.attrs.some((a) => a.def === null) || info.inputs.length !== 1) continue;
    let plain, packed;
    try { plain = e.scope(() => [e.ops.run(info.name, [e.tensor([[0.5, 0.25], [0.125, 0.75]])])].flat().map((t) => t.toArray())); } catch { continue; }
    if (info.flags & 8) continue; // random
    packed = e.scope(() => [e.ops.run(info.name, [e.tensor([[0.5, 0.25], [0.125, 0.75]]), given])].flat().map((t) => t.toArray()));
    assert.deepEqual(packed, plain, info.name);
    compared++;
  }
  assert.ok(compared > 60, `${compared} ops compared`);
  assert.ok(w.mark > 0);
});

test('the slow way with text gives the same', () => {
  const x = e.tensor([[1, 5, 2], [4, 3, 6]]);
  assert.deepEqual(e.sum(x, { dim: '1', keepdim: true }).toArray(), e.sum(x, { dim: [1], keepdim: 1 }).toArray());
  assert.deepEqual(e.sum(x, { dim: [0, 1] }).item(), 21);
});
