// types.test.mjs - the package's types: types.ts compiles against them, and its wrong lines do not.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { built, root } from './setup.mjs';

test('a program of a user compiles, and wrong lines of it do not', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'ebb-types-'));
  try {
    mkdirSync(path.join(dir, 'node_modules'));
    symlinkSync(built, path.join(dir, 'node_modules/ebb'));
    copyFileSync(path.join(root, 'web/engine/test/types.ts'), path.join(dir, 'types.ts'));
    writeFileSync(path.join(dir, 'package.json'), '{ "type": "module" }');
    writeFileSync(path.join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions: {
      target: 'es2022', module: 'nodenext', strict: true, noEmit: true, lib: ['es2023', 'dom'], types: [], skipLibCheck: false }, include: ['types.ts'] }));
    const r = spawnSync(path.join(root, 'node_modules/.bin/tsc'), ['-p', dir], { encoding: 'utf8' });
    assert.equal(r.stdout + r.stderr, '');
    assert.equal(r.status, 0);
  } finally { rmSync(dir, { recursive: true }); }
});
