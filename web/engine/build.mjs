// build.mjs - makes the package build/web/engine from the engine presets' modules: node web/engine/build.mjs
//
//   1. src/generated/abi.ts from the C headers, src/generated/ops.ts from the registry of the module that was built
//   2. the types, checked and written by tsc   3. the code, bundled by esbuild   4. modules, package.json, README beside them
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { writeAbi } from './tools/abi.mjs';
import { writeOps } from './tools/ops.mjs';

const here = path.dirname(fileURLToPath(import.meta.url)), root = path.resolve(here, '../..');
const out = path.join(root, 'build/web/engine'), generated = path.join(here, 'src/generated');
const entries = { ebb: 'index.ts', 'ebb-model': 'language.ts', 'ebb-page': 'client.ts', 'ebb-worker': 'worker.ts', 'ebb-thread': 'thread.ts' };
const groups = [['ebb', 'ebb-model'], ['ebb-page'], ['ebb-worker'], ['ebb-thread']]; // what shares code: who holds the engine, who asks a worker, the worker
const modules = [['ebb-engine.wasm', 'build/engine/ebb-engine.wasm'], ['ebb-engine-full.wasm', 'build/engine-full/ebb-engine.wasm'],
  ['ebb-engine-threads.wasm', 'build/engine/ebb-engine-threads.wasm']];

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
for (const [name, from] of modules) {
  if (existsSync(path.join(root, from))) cpSync(path.join(root, from), path.join(out, name));
  else if (!name.includes('threads')) throw new Error(`${from} is not there: ./dev build ${from.split('/')[1]} makes it`);
}

writeFileSync(path.join(out, 'package.json'), JSON.stringify({
  name: 'ebb', version: '0.1.0', description: 'A plugin-based autograd engine, in WebAssembly.', license: 'MIT', type: 'module', engines: { node: '>=20.16' }, sideEffects: false,
  exports: Object.fromEntries(Object.entries(entries).map(([k, v]) =>
    [k.replace(/^ebb-?/, './').replace(/\/$/, ''), { types: `./types/${v.replace('.ts', '.d.ts')}`, default: `./${k}.js` }])),
  files: ['*.js', '*.wasm', 'types', 'README.md'],
}, null, 2) + '\n');
cpSync(path.join(here, 'README.md'), path.join(out, 'README.md'));

writeAbi(root, path.join(root, 'build/engine/include'), path.join(generated, 'abi.ts'));

const bundle = (more) => build({
  bundle: true, format: 'esm', target: 'es2022', outdir: out, external: ['node:*'], minify: true, legalComments: 'none', logLevel: 'warning', ...more,
});
for (const group of groups) {
  await bundle({ entryPoints: Object.fromEntries(group.map((k) => [k, path.join(here, 'src', entries[k])])), splitting: group.length > 1, chunkNames: 'ebb-[hash]' });
}

const { load } = await import(pathToFileURL(path.join(out, 'ebb.js')));
const ops = writeOps(await load({ wasm: pathToFileURL(path.join(out, 'ebb-engine-full.wasm')) }), path.join(generated, 'ops.ts'));

execFileSync(path.join(root, 'node_modules/.bin/tsc'), ['-p', here, '--outDir', path.join(out, 'types')], { stdio: 'inherit' });
for (const file of readdirSync(path.join(out, 'types'), { recursive: true })) { // a user's compiler knows the names of modules only
  if (!file.endsWith('.d.ts')) continue;
  const at = path.join(out, 'types', file), text = readFileSync(at, 'utf8');
  writeFileSync(at, text.replace(/(from '|import\(')(\.[^']*)\.ts'/g, "$1$2.js'"));
}
for (const name of Object.keys(entries)) {
  const all = new Set([`${name}.js`]); // with what it imports
  for (const file of all) for (const [, chunk] of readFileSync(path.join(out, file), 'utf8').matchAll(/from"\.\/([^"]+)"/g)) all.add(chunk);
  const sizes = [...all].map((file) => gzipSync(readFileSync(path.join(out, file)), { level: 9 }).length);
  console.log(`${name}.js: ${sizes.reduce((a, b) => a + b)} bytes gzip in ${all.size} ${all.size > 1 ? 'files' : 'file'}`);
}
console.log(`${ops} ops`);
