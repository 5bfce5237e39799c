// run.mjs - the page's unit tests: bundles test/*.test.ts for node and runs them: node web/app/test/run.mjs [OPTIONS OF node --test]
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url)), out = path.resolve(here, '../../../build/web/app-test');
const tests = readdirSync(here).filter((name) => name.endsWith('.test.ts'));
// The engine's parts are made by the engine's build; no unit test starts an engine.
const noParts = {
  name: 'no-parts',
  setup(b) {
    b.onResolve({ filter: /^@parts$/ }, () => ({ path: 'parts', namespace: 'none' }));
    b.onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'export {}' }));
  },
};
rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: tests.map((name) => path.join(here, name)), outdir: out, outExtension: { '.js': '.mjs' }, bundle: true, platform: 'node', format: 'esm', target: 'node20',
  jsx: 'automatic', jsxImportSource: 'preact', tsconfig: path.resolve(here, '../tsconfig.json'), sourcemap: 'inline', plugins: [noParts], logLevel: 'warning',
  // What only pages load: styles, and what vite makes.
  loader: { '.css': 'empty', '.idx1-ubyte': 'empty', '.idx3-ubyte': 'empty' }, external: ['virtual:ops'],
});
const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...process.argv.slice(2), ...tests.map((name) => path.join(out, name.replace(/\.ts$/, '.mjs')))], { stdio: 'inherit' });
process.exit(status ?? 1);
