// numbers.test.ts - numbers in words, colours of values, smoothing, slices of tensors, differences of texts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckLine, Stats } from '@engine/protocol';
import { probabilities } from '../src/lib/boundary';
import { smooth, thin } from '../src/lib/curve';
import { diffLines } from '../src/lib/diff';
import { suggestion, withOp } from '../src/lib/draft';
import { broadcastIndex } from '../src/lib/element';
import { formatBytes, formatCell, formatNumber, formatShape } from '../src/lib/format';
import { cellIndex, cellLabel, cellOf, elementGrid, nestedText, ravel, statsGrid, unravel } from '../src/lib/grid';
import { insideGrid, viewWith, zoomView } from '../src/lib/heatmap';
import { divergingScale, mix, scaleIndex } from '../src/lib/colour';
import { verdictOf } from '../src/lib/ratios';
import { groupChecks } from '../src/panels/plugins';

test('numbers are short and say what they are', () => {
  const cases: [number, string][] = [[0, '0'], [1, '1'], [-0.5, '−0.5'], [0.123456, '0.1235'], [1234.5, '1235'], [123456, '123456'], [1.25e-7, '1.25e−7'], [-3e9, '−3e9'], [NaN, 'NaN'], [Infinity, '+∞'], [-Infinity, '−∞']];
  for (const [value, text] of cases) assert.equal(formatNumber(value), text);
  for (const v of [0.004, -0.0512, 99.994, 99.996, 1234, -123456, 1e-12, 3]) assert.ok(formatCell(v).length <= 6, `${v}: ${formatCell(v)}`);
  assert.equal(formatShape([]), 'scalar');
  assert.equal(formatShape([64, 24]), '64 × 24');
  assert.equal(formatBytes(1536), '1.5 KB');
});

test('the scale is symmetric around zero, limited, and ends in its colours', () => {
  const table = divergingScale([0, 0, 255], [255, 255, 255], [255, 0, 0]);
  const at = (v: number): number[] => [...table.slice(scaleIndex(v, 2), scaleIndex(v, 2) + 3)];
  assert.deepEqual(at(0), [255, 255, 255]);
  assert.deepEqual(at(2), [255, 0, 0]);
  assert.deepEqual(at(-2), [0, 0, 255]);
  assert.deepEqual(at(99), at(2));
  assert.equal(scaleIndex(0, 0), scaleIndex(0, 1), 'a tensor of zeros has the colour of zero');
  const light = (c: readonly number[]): number => c[0]! + c[1]! + c[2]!;
  for (let i = 1; i <= 10; i++) assert.ok(light(at(i / 5)) < light(at((i - 1) / 5)), 'darker with every step');
  assert.deepEqual(mix([10, 20, 30], [200, 100, 0], 0).map(Math.round), [10, 20, 30]);
});

test('smoothing begins at the first value, keeps a constant, and leaves NaN where it is', () => {
  assert.deepEqual([...smooth([3, 3, 3], 0.9)].map((v) => +v.toFixed(12)), [3, 3, 3]);
  assert.deepEqual([...smooth([1, 2, 4], 0)], [1, 2, 4]);
  const s = smooth([2, NaN, 4], 0.5);
  assert.equal(s[0], 2);
  assert.ok(Number.isNaN(s[1]));
  assert.ok(s[2]! > 3 && s[2]! < 4);
});

test('thinning keeps spikes, both ends, and the order', () => {
  const values = Float64Array.from({ length: 10_000 }, (_, i) => (i === 5432 ? 100 : i === 777 ? -50 : Math.sin(i / 50)));
  const places = thin(values, values.length, 400);
  assert.ok(places.length <= 402);
  assert.ok(places.includes(5432) && places.includes(777));
  assert.equal(places.at(-1), 9999);
  assert.ok(places.every((p, i) => i === 0 || p > places[i - 1]!));
  assert.deepEqual(thin([5, 6, 7], 3, 10), [0, 1, 2]);
});

const stats = (elements: Float32Array | null, rows: number, cols: number, pixels: Float32Array): Stats => ({
  min: 0, max: 1, mean: 0, std: 0, norm: 0, n: elements?.length ?? 0, nNan: 0, nInf: 0, nZero: 0, firstBad: -1, bins: new Uint32Array(32), rows, cols, pixels, elements,
});

test('slices of more than two dims', () => {
  const shape = [2, 3, 4, 5];
  const all = Float32Array.from({ length: 120 }, (_, i) => i);
  const grid = statsGrid(stats(all, 4, 5, all.slice(0, 20)), shape, [1, 2])!;
  assert.equal(grid.values[0], 100);
  assert.deepEqual(cellIndex(grid, shape, 3, 4), [1, 2, 3, 4]);
  assert.equal(ravel(shape, [1, 2, 3, 4]), 119);
  assert.deepEqual(unravel(shape, 119), [1, 2, 3, 4]);
  assert.deepEqual(cellOf(grid, shape, [1, 2, 3, 4]), { row: 3, col: 4 });
  assert.equal(cellOf(grid, shape, [0, 2, 3, 4]), null, 'of another slice');
});

test('a long vector is wrapped, a short one is a row, a scalar a cell', () => {
  const long = elementGrid([70], new Float32Array(70), []);
  assert.deepEqual([long.rows, long.cols, long.count], [3, 32, 70]);
  assert.equal(cellLabel(long, [70], 2, 5), '[69]');
  assert.deepEqual(cellOf(long, [70], [69]), { row: 2, col: 5 });
  assert.equal(elementGrid([24], new Float32Array(24), []).rows, 1);
  assert.equal(cellLabel(elementGrid([], new Float32Array(1), []), [], 0, 0), '[]');
});

test('cells of a thumbnail say which elements they are the mean of; other slices are not in it', () => {
  const thumbnail = stats(null, 64, 64, new Float32Array(4096));
  const grid = statsGrid(thumbnail, [128, 640], [])!;
  assert.equal(cellLabel(grid, [128, 640], 1, 2), '[2..3, 20..29]');
  assert.deepEqual(cellOf(grid, [128, 640], [3, 29]), { row: 1, col: 2 });
  assert.equal(statsGrid(thumbnail, [2, 128, 640], [1]), null);
});

test('zooming keeps the cell in place and stays inside', () => {
  const grid = elementGrid([10, 20], new Float32Array(200), []);
  const whole = { row: 0, col: 0, rows: 10, cols: 20 };
  const near = zoomView(grid, whole, { row: 9, col: 0 }, 2);
  assert.deepEqual([near.rows, near.cols], [5, 10]);
  assert.ok(near.row >= 4.5 && near.row + near.rows <= 10 && near.col === 0.25);
  assert.deepEqual(zoomView(grid, near, { row: 0, col: 0 }, 0.01), whole);
  assert.equal(insideGrid(grid, { ...near, col: 99 }).col, 10);
  assert.equal(viewWith(grid, { row: 0, col: 0, rows: 5, cols: 5 }, { row: 7, col: 2 }).row, 3);
});

test('elements are copied as nested lists', () => {
  assert.equal(nestedText([2, 2], [1, 2.5, NaN, -Infinity], 'json'), '[[1, 2.5], [null, null]]');
  assert.equal(nestedText([3], [1, NaN, Infinity], 'numpy'), 'array([1, nan, inf], dtype=float32)');
  assert.equal(nestedText([], [4], 'json'), '4');
});

test('broadcast operands: which of their elements meets one of the result', () => {
  assert.deepEqual(broadcastIndex([24], [64, 24], [3, 5]), [5]);
  assert.deepEqual(broadcastIndex([64, 1], [64, 24], [3, 5]), [3, 0]);
  assert.equal(broadcastIndex([2, 24], [64, 24], [3, 5]), null);
});

test('probabilities of what a model says', () => {
  assert.deepEqual(probabilities([0.2, 0.8], 0, 2), [0.2, 0.8]);
  assert.deepEqual(probabilities([0.25], 0, 1), [0.75, 0.25]);
  const p = probabilities([1000, 1000, 0], 0, 3);
  assert.deepEqual(p.map((v) => +v.toFixed(6)), [0.5, 0.5, 0]);
});

test('two texts line by line', () => {
  const rows = diffLines('a\nb\nc\n', 'a\nB\nc\nd\n');
  assert.deepEqual(rows.map((r) => [r.left, r.right, r.same]), [['a', 'a', true], ['b', 'B', false], ['c', 'c', true], [null, 'd', false]]);
  assert.deepEqual(rows[3], { left: null, right: 'd', leftLine: 0, rightLine: 4, same: false });
});

test('hints that name a word, and a plugin put into a model', () => {
  assert.equal(suggestion('did you mean relu?'), 'relu');
  assert.equal(suggestion('give it a dim'), null);
  const text = 'data moons\nW = param(2, 4)\nh = relu(x @ W)\nz = h @ V\nloss = cross_entropy(z, y)\n';
  assert.equal(withOp(text, 'swish').text, 'data moons\nW = param(2, 4)\nh = relu(x @ W)\nh = swish(h)\nz = h @ V\nloss = cross_entropy(z, y)\n');
  assert.equal(withOp('', 'swish').text, '\ny = swish(x)\n');
});

test('update ratios are judged', () => {
  assert.deepEqual([0, 1e-6, 1e-3, 0.5, NaN].map(verdictOf), ['does not move', 'slow', 'healthy', 'large', 'not finite']);
});

test('checks of one name are counted together, with the least margin', () => {
  const line = (op: string, result: CheckLine['result'], margin: number): CheckLine => ({ op, check: 'gradient', dtype: 'f32', cases: 4, margin, result, message: result === 'failed' ? 'off by 2' : '' });
  assert.deepEqual(groupChecks([line('a', 'passed', 30), line('b', 'passed', 12), line('c', 'failed', 0.1)]),
    [{ check: 'gradient', passed: 2, failed: 1, skipped: 0, cases: 12, margin: 12, messages: ['c: off by 2'] }]);
});
