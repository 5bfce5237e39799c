// scale.test.ts - what edges say of gradients; differences of steps; the training's curves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendSteps, emptyCurves, MOST_ROWS } from '../src/curves';
import { changeOf, diffOf } from '../src/diff';
import { flowSign, flowWidth } from '../src/scale';
import { sample, stats } from './sample';

test('widths grow with the logarithm of the norm, between 1 and 7', () => {
  assert.deepEqual([0, 1e-9, 1e-6, 10, 1e5].map(flowWidth), [1, 1, 1, 7, 7]);
  assert.ok(Math.abs(flowWidth(1e-2) - flowWidth(1e-3) - 6 / 7) < 1e-9);
});

test('what an edge says', () => {
  assert.equal(flowSign(1, 0.4, 4, 0), 'positive');
  assert.equal(flowSign(1, -0.4, 4, 0), 'negative');
  assert.equal(flowSign(1, 1e-6, 4, 0), 'mixed');
  assert.equal(flowSign(1e-9, 1e-9, 4, 0), 'vanished');
  assert.equal(flowSign(1, 0.4, 4, 2), 'bad');
  assert.equal(flowSign(NaN, NaN, 4, 0), 'bad');
});

test('changes: by elements, by statistics, to and from NaN', () => {
  const of = (elements: number[]): ReturnType<typeof stats> => stats({ elements: Float32Array.from(elements), norm: Math.hypot(...elements), n: elements.length });
  assert.equal(changeOf(of([3, 4]), of([3, 4])), 0);
  assert.ok(Math.abs(changeOf(of([3, 5]), of([3, 4])) - 0.2) < 1e-6);
  assert.equal(changeOf(stats({ norm: 2 }), stats({ norm: 1 })), 1);
  assert.equal(changeOf(stats({ nNan: 1 }), stats()), Infinity);
  assert.equal(changeOf(of([0, 0]), of([0, 0])), 0);
});

test('a difference lists what changed most', () => {
  const before = sample();
  before.stats = (i) => stats({ norm: i === 0 ? 1 : 4 });
  const grad = diffOf(sample(), before, 'grad');
  assert.deepEqual(grad.most.map((c) => c.amount), [0.5, 0.5, 0.5, 0.5]);
  assert.ok(Number.isNaN(grad.amount[0]!), 'x has no gradient');
  assert.deepEqual(diffOf(sample(), before, 'value').most, [], 'the values are the same');
  before.stats = () => stats({ norm: 4 });
  assert.deepEqual(diffOf(sample(), before, 'param').most, [{ tensor: 1, amount: 0.75 }]);
});

test('curves stay bounded, and keep the last steps', () => {
  const curves = emptyCurves(1);
  for (let done = 0; done < 3 * MOST_ROWS; done += 500) {
    const column = (): Float64Array => Float64Array.from({ length: 500 }, (_, i) => done + i + 1);
    appendSteps(curves, { generation: 1, step: column(), loss: column(), gradNorm: column(), lr: column(), metrics: [column()], ratios: new Float64Array(0), ms: 1, stepsDone: done + 500 });
  }
  assert.ok(curves.length <= MOST_ROWS && curves.length > MOST_ROWS / 4);
  const steps = [...curves.step.subarray(0, curves.length)];
  assert.ok(steps.every((s, i) => i === 0 || s > steps[i - 1]!));
  assert.ok(steps.at(-1)! > 3 * MOST_ROWS - 2 * curves.stride);
  assert.deepEqual([...curves.metrics[0]!.subarray(0, curves.length)], steps);
});
