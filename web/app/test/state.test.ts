// state.test.ts - the observable value that the page's state is in, and actions that need no engine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dismiss, failureOf, hover, notify, notifyFailure, scrubBy, scrubTo, select, toggleTimeline, traceLineage } from '../src/actions';
import { app, initialState } from '../src/state';
import { createStore, watch } from '../src/store';
import { sample } from './sample';

test('listeners hear changes, and only changes', () => {
  const store = createStore({ a: 1, b: 'x' });
  let heard = 0;
  const seen: [number, number][] = [];
  const stop = store.subscribe(() => { heard++; });
  watch(store, (s) => s.a, (now, before) => seen.push([now, before]));
  store.set({ a: 1 });
  store.set({ b: 'y' });
  store.set({ a: 2 });
  stop();
  store.set({ a: 3 });
  assert.equal(heard, 2);
  assert.deepEqual(seen, [[2, 1], [3, 2]]);
});

test('a listener that ends during a change does not disturb the others', () => {
  const store = createStore({ a: 0 });
  const calls: string[] = [];
  const stop = store.subscribe(() => { calls.push('first'); stop(); });
  store.subscribe(() => calls.push('second'));
  store.set({ a: 1 });
  store.set({ a: 2 });
  assert.deepEqual(calls, ['first', 'second', 'second']);
});

test('the timeline stays within the step, and moving it means inspecting', () => {
  const trace = sample();
  app.set({ ...initialState(), trace });
  scrubTo(4.4);
  assert.deepEqual([app.get().time, app.get().mode], [4, 'inspecting']);
  scrubBy(100);
  assert.equal(app.get().time, trace.events.length);
  scrubBy(-100);
  assert.equal(app.get().time, 0);
});

test('moving the timeline ends its playback', () => {
  Object.assign(globalThis, { requestAnimationFrame: () => 0 });
  app.set({ ...initialState(), trace: sample(), time: 9 });
  toggleTimeline();
  assert.deepEqual([app.get().playing, app.get().time], [true, 0], 'at the end it plays from the begin');
  scrubBy(1);
  assert.equal(app.get().playing, false);
});

test('the same selection is no change; the same lineage twice ends it', () => {
  app.set({ ...initialState(), trace: sample() });
  select({ kind: 'node', id: 1 });
  const before = app.get();
  select({ kind: 'node', id: 1 });
  hover(null);
  assert.equal(app.get(), before);
  traceLineage('up');
  assert.deepEqual([...app.get().lineage!.nodes], [1, 1, 0]);
  traceLineage('up');
  assert.equal(app.get().lineage, null);
});

test('notices: one of each text, the newest four, failures with what to do', () => {
  app.set(initialState());
  notify({ tone: 'info', text: 'a' });
  notify({ tone: 'info', text: 'a' });
  assert.equal(app.get().notices.length, 1);
  for (const text of ['b', 'c', 'd', 'e']) notify({ tone: 'info', text });
  assert.deepEqual(app.get().notices.map((n) => n.text), ['b', 'c', 'd', 'e']);
  dismiss(app.get().notices[0]!.id);
  notifyFailure({ kind: 'memory', message: 'no 2 GB left' }, 'Loading the model');
  const last = app.get().notices.at(-1)!;
  assert.equal(last.text, 'Loading the model failed: no 2 GB left');
  assert.match(last.hint!, /smaller batch/);
  assert.deepEqual(failureOf(new Error('x')), { kind: 'error', message: 'x' });
});
