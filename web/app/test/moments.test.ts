// moments.test.ts - when things of a recorded step happen, and what leads to what.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeEvent } from '../src/format';
import { lineageOf } from '../src/lineage';
import { momentsOf, NEVER, phaseAt } from '../src/moments';
import { sample } from './sample';

test('values come with forward events, leaves are there from the begin', () => {
  const m = momentsOf(sample());
  assert.deepEqual([...m.forward], [0, 1, 2]);
  assert.deepEqual([...m.value], [-1, -1, 0, 1, 2]);
});

test('gradients come on the way back: of an output with the first rule of its node, of a leaf when it is complete', () => {
  const m = momentsOf(sample());
  assert.deepEqual([...m.grad], [NEVER, 7, 6, 5, 3]);
  assert.deepEqual([...m.part], [NEVER, 6, 5, 4]);
  assert.deepEqual([...m.ruleFirst], [6, 5, 4]);
});

test('phases: forward, backward, the optimizer', () => {
  const m = momentsOf(sample());
  assert.deepEqual([0, 2, 3, 7, 8].map((i) => phaseAt(m, i)), ['forward', 'forward', 'backward', 'backward', 'optim']);
});

test('events in words', () => {
  const t = sample();
  assert.equal(describeEvent(t, 0).text, 'matmul(x, W)');
  assert.equal(describeEvent(t, 6).text, 'matmul gives W its gradient');
  assert.deepEqual(describeEvent(t, 99), { phase: '', text: '' });
});

test('ancestors and descendants', () => {
  const t = sample();
  const up = lineageOf(t, { kind: 'node', id: 1 }, 'up');
  assert.deepEqual([[...up.nodes], [...up.tensors]], [[1, 1, 0], [1, 1, 1, 0, 0]]);
  const down = lineageOf(t, { kind: 'tensor', id: 1 }, 'down');
  assert.deepEqual([[...down.nodes], [...down.tensors]], [[1, 1, 1], [0, 1, 1, 1, 1]]);
  const group = lineageOf(t, { kind: 'group', id: 1 }, 'both');
  assert.deepEqual([...group.nodes], [1, 1, 1]);
});
