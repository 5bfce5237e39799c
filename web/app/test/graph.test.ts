// graph.test.ts - the pure parts of the graph: grid, camera, scene, outline, search.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Layout } from '@engine/protocol';
import { fit, keepInSight, reveal, toWorld, zoomAt } from '../src/graph/camera';
import { Grid } from '../src/graph/grid';
import { hit, makeScene } from '../src/graph/scene';
import { rowsOf } from '../src/outline';
import { search } from '../src/search';
import { sample } from './sample';

test('the grid finds what a scan finds', () => {
  let seed = 1;
  const random = (most: number): number => { seed = (seed * 48271) % 2147483647; return (seed / 2147483647) * most; };
  const rects = Array.from({ length: 400 }, () => ({ x: random(4000) - 500, y: random(4000) - 500, w: random(300), h: random(900) }));
  const grid = new Grid(rects);
  for (let i = 0; i < 50; i++) {
    const area = { x: random(4000) - 500, y: random(4000) - 500, w: random(800), h: random(800) };
    const scan = rects.flatMap((r, k) => (r.x < area.x + area.w && area.x < r.x + r.w && r.y < area.y + area.h && area.y < r.y + r.h ? [k] : []));
    assert.deepEqual(grid.query(area), scan);
  }
  assert.equal(grid.query({ x: -1e5, y: -1e5, w: 2e5, h: 2e5 }).length, rects.length);
});

test('zooming keeps the point under the pointer', () => {
  const camera = { x: 10, y: 20, z: 0.5 };
  const before = toWorld(camera, 300, 200), after = toWorld(zoomAt(camera, 1.7, 300, 200), 300, 200);
  assert.ok(Math.hypot(before.x - after.x, before.y - after.y) < 1e-9);
});

test('fitting centres, revealing moves no more than it must, and something stays in sight', () => {
  const view = { w: 800, h: 600 };
  const c = fit({ x: 0, y: 0, w: 1000, h: 100 }, view);
  assert.ok(Math.abs(c.x + view.w / c.z / 2 - 500) < 1e-9);
  const still = { x: 0, y: 0, z: 1 };
  assert.deepEqual(reveal(still, { x: 300, y: 300, w: 50, h: 40 }, view), still);
  assert.equal(reveal(still, { x: 900, y: 300, w: 50, h: 40 }, view).y, 0);
  const far = keepInSight({ x: 1e6, y: -1e6, z: 1 }, { w: 1000, h: 1000 }, view);
  assert.ok(far.x < 1000 && far.y > -600);
});

/** layer closed, relu as a node in an open frame. */
const layout = (): Layout => ({
  width: 200, height: 300, ms: 0, open: Uint8Array.of(0, 1),
  boxes: [
    { kind: 'frame', id: 1, count: 1, frame: -1, x: 0, y: 100, w: 120, h: 90 }, { kind: 'group', id: 0, count: 1, frame: -1, x: 10, y: 10, w: 100, h: 40 },
    { kind: 'node', id: 1, count: 1, frame: 0, x: 10, y: 130, w: 100, h: 40 }, { kind: 'node', id: 2, count: 1, frame: -1, x: 10, y: 230, w: 100, h: 40 },
  ],
  wires: [{ from: 1, to: 2, tensor: 2, input: 2, points: Float32Array.of(60, 50, 60, 130) }, { from: 2, to: 3, tensor: 3, input: 3, points: Float32Array.of(60, 170, 60, 230) }],
});

test('a scene knows which box a node is drawn in, and when the box runs', () => {
  const scene = makeScene(sample(), layout());
  assert.deepEqual([...scene.boxOfNode], [1, 2, 3]);
  assert.deepEqual([...scene.boxOfTensor], [-1, -1, 1, 2, 3]);
  assert.deepEqual([...scene.runLast].slice(1), [0, 1, 2]);
  assert.deepEqual([...scene.ruleFirst].slice(1), [6, 5, 4]);
  assert.deepEqual(scene.into, [[], [], [0], [1]]);
});

test('hitting: boxes before frames, frames at their title only', () => {
  const scene = makeScene(sample(), layout());
  assert.equal(hit(scene, 50, 150, 1), 2);
  assert.equal(hit(scene, 50, 105, 1), 0);
  assert.equal(hit(scene, 115, 180, 1), -1);
});

test('the outline lists groups, parameters before their first reader, and what is open', () => {
  const trace = sample();
  const names = (open: number[]): string[] => rowsOf(trace, new Set(open)).map((r) => `${r.level}${r.ref.kind}${r.ref.id}`);
  assert.deepEqual(names([]), ['1group0', '1group1', '1node2']);
  assert.deepEqual(names([0]), ['1group0', '2tensor0', '2tensor1', '2node0', '1group1', '1node2']);
});

test('the search finds ops, names and shapes by every word', () => {
  const trace = sample();
  const found = (q: string): string[] => search(trace, q).map((f) => `${f.ref.kind}${f.ref.id}`);
  assert.deepEqual(found('relu'), ['node1']);
  assert.deepEqual(found('w param'), ['tensor1']);
  assert.equal(found('2x2')[0], 'tensor0');
  assert.deepEqual(found('conv relu'), []);
  assert.deepEqual(found('  '), []);
});
