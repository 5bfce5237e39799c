// plugin.test.mjs - plugins on their way into the engine: accepted, refused, and such as trap or never end.
import assert from 'node:assert/strict';
import test from 'node:test';
import { page, plugin } from './setup.mjs';

async function withEngine(options, f) {
  const engine = page.createEngine(options);
  try { return await f(engine); } finally { engine.close(); }
}

test('a right plugin is accepted, and the training engine has its op', () => withEngine({}, async (engine) => {
  const told = [], before = await engine.call('about', {});
  engine.onRestart = (why) => told.push(why);
  const c = await engine.plugin('my_swish.wasm', plugin('my_swish'));
  assert.equal(c.ok, true, c.message);
  assert.equal(c.plugin, 'my_swish');
  assert.deepEqual(c.ops.map((o) => o.name), ['my_swish']);
  assert.equal(c.failed, 0);
  assert.ok(c.passed >= 12, `${c.passed} checks passed`);
  assert.equal(c.checks.length, c.passed + c.skipped);
  assert.match(c.hash, /^[0-9a-f]{64}$/);
  const after = await engine.call('about', {});
  assert.equal(after.ops, before.ops + 1);
  assert.equal(after.full, true);
  assert.equal(told.length, 1);
  const again = await engine.plugin('my_swish.wasm', plugin('my_swish'));
  assert.equal(again.ok, false);
  assert.match(again.message, /my_swish/);
  const second = await engine.plugin('library.wasm', plugin('library'));
  assert.equal(second.ok, true, second.message);
  assert.ok(second.imports.includes('pow'));
  assert.equal((await engine.call('about', {})).ops, before.ops + 2);
  assert.equal(told.length, 1, 'a full engine takes the second one as it runs');
  assert.equal((await engine.verify('cubed')).ok, true);
}));

test('a wrong rule is refused with the verifier\'s words', () => withEngine({}, async (engine) => {
  const c = await engine.plugin('demo_missing_factor.wasm', plugin('demo_missing_factor'));
  assert.equal(c.ok, false);
  assert.match(c.message, /a factor 1\.7881 is missing/);
  const failed = c.checks.filter((l) => l.result === 'failed');
  assert.equal(failed.length, c.failed);
  assert.ok(failed.some((l) => l.check === 'gradient' && l.op === 'scaled_swish'));
  assert.equal((await engine.call('about', {})).full, false, 'the training engine was left alone');
}));

test('what is no plugin is refused before anything of it runs', () => withEngine({}, async (engine) => {
  const swish = plugin('my_swish'), short = swish.slice(0, 500);
  for (const [name, bytes, words] of [
    ['text', new TextEncoder().encode('not a module').buffer, /not a WebAssembly module/],
    ['empty', new ArrayBuffer(0), /not a WebAssembly module/],
    ['cut', short, /cannot be compiled/],
    ['module', new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]).buffer, /not one that can be linked/],
    ['no_plugin', plugin('no_plugin'), /has no ebb_plugin_entry/],
    ['missing_import', plugin('missing_import'), /does not have: nobody_has_this/],
    ['wrong_type', plugin('wrong_type'), /cannot be linked: .*ebb_version/],
  ]) {
    const c = await engine.plugin(name, bytes);
    assert.equal(c.ok, false, name);
    assert.match(c.message, words, name);
    assert.equal(c.checks.length, 0, name);
  }
  assert.equal((await engine.verify('relu')).ok, true, 'and the verifier goes on');
}));

test('every byte of a plugin may be wrong: it is refused or verified, and the engine answers', () => withEngine({ silence: 5000 }, async (engine) => {
  const right = new Uint8Array(plugin('my_swish'));
  for (let i = 1; i <= 40; i++) {
    const bytes = right.slice(), at = (i * 7919) % bytes.length;
    bytes[at] ^= 1 << (i % 8);
    const c = await engine.plugin(`flipped ${at}`, bytes.buffer);
    assert.equal(typeof c.ok, 'boolean');
    if (!c.ok) assert.notEqual(c.message, '');
    if (c.ok) break; // a bit nobody reads: the name would be taken from now on
  }
  assert.equal((await engine.verify('relu')).ok, true);
}));

test('a plugin that traps ends its worker, and it is said', () => withEngine({}, async (engine) => {
  const c = await engine.plugin('traps.wasm', plugin('traps'));
  assert.equal(c.ok, false);
  assert.match(c.message, /stopped the engine.*unreachable/);
  assert.equal(c.plugin, 'traps');
  assert.equal((await engine.verify('relu')).ok, true, 'the next verifier works');
}));

test('a plugin that never ends is stopped', () => withEngine({ silence: 1500 }, async (engine) => {
  const start = Date.now(), c = await engine.plugin('endless.wasm', plugin('endless'));
  assert.equal(c.ok, false);
  assert.match(c.message, /did not go on for 1\.5 s.* was stopped/);
  assert.ok(Date.now() - start < 20_000);
  assert.equal((await engine.call('about', {})).full, false);
}));

test('an op is verified; an unknown one is an error', () => withEngine({}, async (engine) => {
  const r = await engine.verify('softmax');
  assert.equal(r.ok, true);
  assert.ok(r.checks.length >= 15);
  assert.ok(r.checks.some((l) => l.result === 'passed' && l.margin < 1));
  await assert.rejects(engine.verify('sofmax'), (e) => e.kind === 'error' && /softmax/.test(e.message));
}));

test('a trap in training ends the worker; another takes its place with the model and the plugin', () => withEngine({}, async (engine) => {
  const c = await engine.plugin('late.wasm', plugin('late'));
  assert.equal(c.ok, true, c.message);
  const text = (n) => `a = param(2) ~ ones\nloss = sum(late(a * ${n}))\ntrain sgd lr=0.1\n`;
  assert.equal((await engine.call('load', { text: text(3) })).problem, undefined);
  const first = await engine.call('train', { most: 2, ms: 10_000 });
  assert.equal(first.loss[0], 12);
  const told = new Promise((resolve) => { engine.onRestart = resolve; });
  await assert.rejects(engine.call('load', { text: text(12345) }), (e) => e.kind === 'trap' && /The engine stopped/.test(e.message));
  assert.equal((await told).kind, 'trap');
  const again = await engine.call('train', { most: 2, ms: 10_000 });
  assert.deepEqual(again.loss, first.loss);
  assert.ok(again.generation > first.generation);
  assert.equal((await engine.call('about', {})).full, true);
}));
