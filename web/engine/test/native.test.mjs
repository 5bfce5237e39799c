// native.test.mjs - the same model natively and in WebAssembly: the same numbers, and trace files that either reads.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { buffer, page, root } from './setup.mjs';

const native = process.env['EBB'] ?? path.join(root, 'build/release/ebb');
const skip = existsSync(native) ? false : `${native} was not built`;
const close = (a, b, tolerance) => assert.ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${a} is not ${b}`);

for (const name of ['xor', 'spirals', 'residual_mlp']) {
  test(`${name}: training equals the native one, step by step; its trace is read`, { skip }, async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'ebb-native-')), out = path.join(dir, 'run.ebbtrace'), file = path.join(root, `examples/models/${name}.ebb`);
    const engine = page.createEngine();
    try {
      execFileSync(native, ['trace', file, '--out', out, '--steps', '30', '--at', '1,2,10,30', '--quiet'], { stdio: 'pipe' });
      const bytes = buffer(out), text = readFileSync(file, 'utf8');
      assert.equal(page.frameCount(bytes), 4);
      const frames = [0, 1, 2, 3].map((i) => page.decodeTrace(bytes, i));
      assert.equal(frames[0].model, text);
      assert.match(frames[0].about, /^ebb /);
      assert.equal((await engine.call('load', { text })).problem, undefined);
      const { loss } = await engine.call('train', { most: 29, ms: 60_000 }), { file: record } = await engine.call('record', {});
      const own = page.decodeTrace(record);
      for (const t of frames.slice(0, 3)) close(loss[t.step - 1], t.loss, 1e-4);
      close(own.loss, frames[3].loss, 1e-3);
      assert.deepEqual(own.nodes.map((n) => [n.op, n.attrs, n.label, n.line, n.column]), frames[3].nodes.map((n) => [n.op, n.attrs, n.label, n.line, n.column]));
      assert.deepEqual(own.tensors.map((x) => [x.name, x.kind, x.shape]), frames[3].tensors.map((x) => [x.name, x.kind, x.shape]));
      assert.deepEqual(await engine.call('openTrace', { file: bytes }), { frames: 4 });
      assert.ok((await engine.call('layout', { frame: 3 })).boxes.length > 5);
    } finally {
      engine.close();
      rmSync(dir, { recursive: true });
    }
  });
}
