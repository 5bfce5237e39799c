// run.mjs - ebb beside TensorFlow.js and jax-js in Chromium: the standard workloads in one interleaved run. `./dev bench web` calls it.
//
//     node bench/web/run.mjs [--quick] [--only a,b] [--minutes N]
//
// Blocks of steps alternate between the pages, one for each framework; each begins with the initial weights. Losses are compared with the reference.
import { build } from 'esbuild';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { serve } from './serve.mjs';

const here = path.dirname(fileURLToPath(import.meta.url)), root = path.resolve(here, '../..');
const engine = path.join(root, 'build/web/engine'), out = path.join(root, 'build/web/bench');
const FRAMEWORKS = ['ebb', 'tf', 'jax'], SMALL = 'e'; // where calls from JavaScript count, ebb's model language is measured too
const PAGES = [...FRAMEWORKS, 'model'];
/** What ebb is to reach, milliseconds a step on one thread of the machine that these were set on. */
const TARGETS = { a: 0.75, b: 5.5, c: 35, d: 60, e: 0.012 };

const bundle = (more) => build({ bundle: true, format: 'esm', target: 'es2022', logLevel: 'error', ...more });
mkdirSync(out, { recursive: true });
await bundle({ entryPoints: [path.join(here, 'src/workloads.ts')], outfile: path.join(out, 'workloads.mjs') });
const { agrees, WORKLOADS } = await import(pathToFileURL(path.join(out, 'workloads.mjs')));

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', default: Object.keys(WORKLOADS).join() }, minutes: { type: 'string' } },
});
const keys = options.only.split(',');
for (const key of keys) if (!WORKLOADS[key]) throw new Error(`there is no workload '${key}'; there are ${Object.keys(WORKLOADS).join(', ')}`);

const median = (v) => [...v].sort((a, b) => a - b)[Math.floor(v.length / 2)];
const ms = (v) => (v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v >= 1 ? v.toFixed(2) : v.toFixed(4));

/** One page of a framework, ready. */
async function open(context, origin, name) {
  const page = await context.newPage(), errors = [];
  page.on('pageerror', (e) => errors.push(String(e.message ?? e)));
  await page.goto(`${origin}/${name}.html`);
  await page.waitForFunction(() => window.bench, null, { timeout: 30_000 }).catch(() => {
    throw new Error(errors[0] ?? 'it was not ready within 30 s');
  });
  return page;
}

/** What f gives, or the first line of why not. */
async function attempt(f) {
  try { return { value: await f() }; } catch (e) { return { error: String(e.message ?? e).split('\n')[0].replace(/^page\.evaluate: (Error: )?/, '') }; }
}

async function measure(all, key) {
  const results = {}, pages = Object.fromEntries(Object.entries(all).filter(([name]) => name !== 'model' || key === SMALL));
  for (const [name, page] of Object.entries(pages)) {
    await page.bringToFront();
    const losses = await attempt(() => page.evaluate(([k, firstTwo]) => window.bench.losses(k, firstTwo), [key, options.quick]));
    results[name] = losses.error ? { error: losses.error } : { losses: losses.value, same: agrees(losses.value, WORKLOADS[key].reference), times: [] };
  }
  const rounds = options.quick ? 3 : 9;
  for (let round = -1; round < rounds; round++) // the first warms up
    for (const [name, page] of Object.entries(pages)) {
      const r = results[name];
      if (r.error) continue;
      await page.bringToFront();
      const block = await attempt(() => page.evaluate((k) => window.bench.block(k), key));
      if (block.error) r.error = block.error;
      else if (round >= 0) r.times.push(block.value);
    }
  return results;
}

function print(key, results) {
  const w = WORKLOADS[key], own = !results.ebb || results.ebb.error ? NaN : median(results.ebb.times), notes = [];
  const cell = (name) => {
    const r = results[name];
    if (!r) return '-';
    if (r.error) { notes.push(`${name}: ${r.error}`); return 'failed'; }
    if (!r.same) notes.push(`${name}: NOT THE SAME: losses ${r.losses.map((v) => v.toFixed(6)).join(', ')}; reference ${w.reference.join(', ')}`);
    const t = median(r.times);
    return name === 'ebb' ? ms(t) : `${ms(t)} (${(t / own).toFixed(1)}x)`;
  };
  const cells = FRAMEWORKS.map(cell);
  if (results.model) notes.push(`ebb as a text of the model language, one call a step: ${cell('model')}`);
  console.log(`${key}  ${w.what.padEnd(42)}${cells.map((c) => c.padStart(16)).join('')}   <= ${TARGETS[key]}  ${own <= TARGETS[key] ? 'met' : 'missed'}`);
  for (const note of notes) console.log(`     ${note}`);
  return Object.values(results).every((r) => !r.error && r.same);
}

/** Bytes, gzip, of what a page of ebb fetches: the module and the client with what it imports. */
function engineSize() {
  const gz = (file) => gzipSync(readFileSync(path.join(engine, file)), { level: 9 }).length;
  const glue = new Set(['ebb.js']);
  for (const file of glue) for (const [, chunk] of readFileSync(path.join(engine, file), 'utf8').matchAll(/from"\.\/([^"]+)"/g)) glue.add(chunk);
  return { module: gz('ebb-engine.wasm'), glue: [...glue].reduce((sum, file) => sum + gz(file), 0) };
}

/** Milliseconds from the navigation to a framework that is ready, nothing cached. */
async function readyTime(browser, origin, name) {
  const times = [];
  for (let i = 0; i < (options.quick ? 3 : 7); i++) {
    const context = await browser.newContext();
    try { times.push(await (await open(context, origin, name)).evaluate(() => window.bench.about.readyMs)); } finally { await context.close(); }
  }
  return median(times);
}

/** Trains b for so long in the page of ebb; memory must not grow. */
async function endurance(page, minutes) {
  const mb = (bytes) => (bytes === null ? '-' : `${(bytes / 2 ** 20).toFixed(1)} MB`), seen = async (when) => {
    const { wasm, heap } = await page.evaluate(() => window.bench.memory());
    console.log(`${when.padEnd(28)} wasm memory ${mb(wasm).padStart(10)}   JS heap ${mb(heap).padStart(10)}`);
  };
  await page.evaluate(() => window.bench.block('b'));
  await seen('after the first block');
  for (let done = 0, minute = 1; minute <= Math.ceil(minutes); minute++) {
    done += await page.evaluate((s) => window.bench.trainFor('b', s), 60 * Math.min(1, minutes - minute + 1));
    await seen(`minute ${Math.min(minute, minutes)}, ${done} steps of b`);
  }
}

await bundle({
  entryPoints: PAGES.map((name) => path.join(here, `src/${name}.ts`)), outdir: out, minify: true,
  external: ['fs', 'path', 'worker_threads', 'perf_hooks', 'os', 'crypto'], // what TensorFlow.js asks for under node alone
});
const tfjs = path.join(here, 'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out');
const files = new Map([['/ebb-engine.wasm', path.join(engine, 'ebb-engine.wasm')]]);
for (const name of readdirSync(out)) files.set(`/${name}`, path.join(out, name));
for (const name of readdirSync(tfjs)) files.set(`/tfjs/${name}`, path.join(tfjs, name));
const server = await serve(files, PAGES);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows', '--enable-precise-memory-info'],
});
let good = true;
try {
  const context = await browser.newContext();
  if (options.minutes) {
    await endurance(await open(context, server.origin, 'ebb'), Number(options.minutes));
  } else {
    const size = engineSize(), kb = (n) => `${(n / 1024).toFixed(1)} KB`;
    console.log(`Chromium ${browser.version()}, one thread; medians of interleaved blocks, milliseconds a step; ratios above 1: ebb is faster\n`);
    const pages = {};
    for (const name of PAGES) {
      const page = await attempt(() => open(context, server.origin, name));
      if (page.value) pages[name] = page.value;
      else {
        console.log(`${name}: could not be loaded: ${page.error}`);
        good = false;
      }
    }
    for (const page of Object.values(pages)) {
      const { name, how } = await page.evaluate(() => window.bench.about);
      console.log(`${name}: ${how}`);
    }
    console.log(`\n${''.padEnd(45)}${FRAMEWORKS.map((n) => n.padStart(16)).join('')}   target of ebb`);
    for (const key of keys) good = print(key, await measure(pages, key)) && good;
    console.log(`\nebb: engine ${kb(size.module)} + client ${kb(size.glue)}, gzip`);
    for (const name of FRAMEWORKS.filter((n) => pages[n])) console.log(`${name}: ready ${(await readyTime(browser, server.origin, name)).toFixed(0)} ms after the navigation began`);
  }
} finally {
  await browser.close();
  server.close();
}
if (!good) process.exitCode = 1;
