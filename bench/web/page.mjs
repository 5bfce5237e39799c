// page.mjs - the visualiser's figures in Chromium: bytes, first second, layout, timeline, panning, memory. `./dev bench web` calls it.
//
//     node bench/web/page.mjs [--quick] [--minutes N] [--only sizes,start,layout,graph,training,memory]
//
// Measured in the page that was built (build/web/app), in one browser, each figure in a fresh context. Figures mean something on an idle machine only.
import { existsSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { transformSync } from 'esbuild';
import { APP, example, finish, link, open, ROOT, until } from '../../web/test/browser.mjs';
import { largeModel } from './large.mjs';

const before = fileURLToPath(new URL('probe.js', import.meta.url));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const KB = 1024, MB = 1024 * KB;

const sorted = (v) => [...v].sort((a, b) => a - b);
const quantile = (v, share) => sorted(v)[Math.min(v.length - 1, Math.floor(share * v.length))];
const median = (v) => quantile(v, 0.5);

/** A model that does not come to its end while it is measured. */
const endless = (text) => text.replace(/\bsteps=\d+/, 'steps=1000000000');
const source = readFileSync(join(ROOT, 'web/app/src/models.ts'), 'utf8');
const { firstModel } = await import(`data:text/javascript,${encodeURIComponent(transformSync(source, { loader: 'ts' }).code)}`);

// ---- the table ----

const print = (figure, measured, wanted, verdict) => console.log(`${figure.padEnd(66)}${measured.padStart(14)}${wanted.padStart(16)}  ${verdict}`.trimEnd());
/** One line. `wanted`: [sign, number], or nothing where a figure is only told. */
function row(figure, value, unit, wanted) {
  const words = (v) => `${v.toFixed(v >= 100 || Number.isInteger(v) ? 0 : 1)} ${unit}`;
  const good = !wanted || (wanted[0] === '<=' ? value <= wanted[1] : value >= wanted[1]);
  print(figure, words(value), wanted ? `${wanted[0]} ${words(wanted[1])}` : '', wanted ? (good ? 'met' : 'missed') : '');
}
const most = (v) => ['<=', v], least = (v) => ['>=', v];

// ---- figures ----

const interactive = (page) => until(() => page.evaluate(() => !Number.isNaN(probe.interactive)), 'the model trains and the graph is drawn', 60_000);

/** A page that shows this model; ends with its errors, if there were any. */
async function withPage(hash, use) {
  const page = await open({ hash, before });
  try {
    await use(page);
    page.quiet();
  } finally { await page.context().close(); }
}

/** Bytes, gzip: what the first paint and the first interaction need, what comes after it, the engine. */
async function sizes() {
  const fetched = new Set(['index.html']);
  await withPage('', async (page) => {
    await interactive(page);
    await page.locator('.plot canvas').first().waitFor();
    for (const url of await page.evaluate(() => performance.getEntriesByType('resource').map((r) => r.name))) {
      if (url.startsWith('http')) fetched.add(new URL(url).pathname.slice(1));
    }
  });
  const html = readFileSync(join(APP, 'index.html'), 'utf8');
  const ofEngine = (file) => file.endsWith('.wasm') || /^(worker|ebb-)/.test(basename(file));
  // The panel that is open at first has curves.
  const first = (file) => file === 'index.html' || html.includes(basename(file)) || basename(file).startsWith('uPlot');
  const zipped = (path) => gzipSync(readFileSync(path), { level: 9 }).length / KB;
  const sum = (holds) => [...fetched].filter(holds).reduce((n, file) => n + zipped(join(APP, file)), 0);
  row('first load without the engine: page, styles, scripts (gzip)', sum((f) => !ofEngine(f) && first(f)), 'KB', most(150));
  row('    panels that are loaded after it', sum((f) => !ofEngine(f) && !first(f)), 'KB');
  row('engine and its worker (gzip)', sum(ofEngine), 'KB', most(250));
  const small = join(ROOT, 'build/engine-small/ebb-engine.wasm');
  if (existsSync(small)) row('engine of the ops of simple networks (gzip)', zipped(small), 'KB', most(90));
}

async function firstSecond() {
  const times = { engineReady: [], interactive: [] };
  for (let i = 0; i < 5; i++) {
    await withPage('', async (page) => {
      await interactive(page);
      const seen = await page.evaluate(() => ({ engineReady: probe.engineReady, interactive: probe.interactive }));
      for (const key of Object.keys(times)) times[key].push(seen[key]);
    });
  }
  row('engine ready, from the begin of the navigation', median(times.engineReady), 'ms', most(1000));
  row('model trains and graph is drawn, from the begin of the navigation', median(times.interactive), 'ms', most(1000));
}

/** Opens all groups of a large model at the first step's record; -> the layouts this took. */
async function openAll(page) {
  await page.getByTestId('open-all').click();
  await until(() => page.evaluate(() => probe.layouts.length > 1), 'the open groups are laid out');
}

async function layouts(nodes, limit) {
  await withPage(link(largeModel(nodes), { step: 1 }), async (page) => {
    await openAll(page);
    for (let i = 1; i < 5; i++) {
      const n = await page.evaluate(() => probe.layouts.length);
      await page.getByTestId('direction').click();
      await until(() => page.evaluate((m) => probe.layouts.length > m, n), 'it is drawn the other way');
    }
    const [, ...seen] = await page.evaluate(() => probe.layouts);
    row(`layout of ${seen[0].nodes.toLocaleString('en')} nodes (${seen[0].boxes.toLocaleString('en')} boxes), in the worker`, median(seen.map((l) => l.ms)), 'ms', most(limit));
  });
}

/** Steps on the timeline by the keyboard: half of them on, half of them back. */
async function scrub(page, where) {
  const steps = options.quick ? 40 : 200;
  await page.keyboard.press('Home');
  for (let i = 0; i < 20; i++) await page.keyboard.press('PageDown');
  await pause(2000); // edges that move after a change of time come to rest
  await page.evaluate(() => probe.watchKeys());
  for (let i = 0; i < steps; i++) {
    await page.keyboard.press(i < steps / 2 ? '.' : ',');
    await page.waitForFunction((n) => probe.keys.length > n, i, { polling: 2 });
  }
  const keys = await page.evaluate(() => probe.keys), work = keys.map((k) => k.work), seen = keys.map((k) => k.seen);
  row(`one step on the timeline, ${where}: median`, median(work), 'ms', most(16));
  row('    95th percentile', quantile(work, 0.95), 'ms', most(16));
  row('    with the wait for the next frame: median', median(seen), 'ms');
}

/** Drags round in a circle. */
async function drag(page, where) {
  const box = await page.getByTestId('graph').boundingBox(), ms = options.quick ? 2000 : 5000;
  const at = (turn) => [box.x + box.width / 2 + 220 * Math.cos(turn), box.y + box.height / 2 + 220 * Math.sin(turn)];
  await page.mouse.move(...at(0));
  await page.mouse.down();
  const counted = page.evaluate((t) => probe.frames(t), ms);
  const end = Date.now() + ms;
  for (let turn = 0; Date.now() < end; turn += 0.08) {
    await page.mouse.move(...at(turn));
    await pause(8);
  }
  const { frames, longest, ms: took } = await counted;
  await page.mouse.up();
  row(`panning, ${where}: frames a second`, (1000 * frames) / took, '/s', least(30));
  row('    longest gap between two frames', longest, 'ms');
}

async function largeGraph() {
  await withPage(link(largeModel(2000), { step: 1 }), async (page) => {
    await openAll(page);
    await page.keyboard.press('f');
    await pause(1000);
    await scrub(page, '2,000 nodes in sight');
    await drag(page, '2,000 nodes in sight');
  });
  await withPage(link(largeModel(2000), { step: 1 }), async (page) => {
    await openAll(page);
    for (let i = 0; i < 10; i++) { await page.keyboard.press('+'); await pause(300); }
    await scrub(page, '2,000 nodes, texts legible');
    await drag(page, '2,000 nodes, texts legible');
  });
}

/** As fast as it can, instead of so that one can follow. */
const atFullSpeed = (page) => page.getByTestId('pace').press('End');

async function training(hash, name) {
  await withPage(hash, async (page) => {
    await interactive(page);
    await atFullSpeed(page);
    await pause(1000);
    const from = await page.evaluate(() => performance.now());
    await pause(options.quick ? 5000 : 20_000);
    const tasks = await page.evaluate((t) => probe.tasks.filter((k) => k.at > t).map((k) => k.ms), from);
    row(`longest task of the page while ${name} trains`, tasks.length ? Math.max(...tasks) : 50, 'ms', most(50));
    row('    tasks over 50 ms', tasks.length, '', most(0));
  });
}

async function memory(minutes) {
  await withPage(link(endless(firstModel.text)), async (page) => {
    await interactive(page);
    await atFullSpeed(page);
    await pause(5000);
    const look = async () => {
      const { wasm, all } = await page.evaluate(() => probe.memory());
      const script = all.breakdown.filter((b) => b.types.includes('JavaScript')).reduce((sum, b) => sum + b.bytes, 0);
      return { wasm: wasm / MB, script: script / MB, steps: Number((await page.getByTestId('steps').textContent()).replace(/\D/g, '')) };
    };
    const seen = [await look()];
    for (let i = 0; i < 2; i++) {
      await pause(minutes * 30_000);
      seen.push(await look());
    }
    const words = (key) => seen.map((s) => s[key].toFixed(1)).join(', ');
    console.log(`${minutes} min of training, ${seen[2].steps.toLocaleString('en')} steps. MB at the begin, in the middle, at the end:`);
    console.log(`    wasm ${words('wasm')}; JavaScript, page and worker ${words('script')}`);
    row('wasm memory that was added', seen[2].wasm - seen[0].wasm, 'MB', most(0));
    row('JavaScript memory that was added since the middle', Math.max(0, seen[2].script - seen[1].script), 'MB', most(1));
  });
}

const parts = {
  sizes,
  start: firstSecond,
  layout: async () => { await layouts(2000, 100); await layouts(10_000, 500); },
  graph: largeGraph,
  training: async () => {
    await training(link(endless(firstModel.text)), 'the first model');
    await training(link(endless(example('models/digits_cnn'))), 'digits_cnn');
  },
  memory: () => memory(Number(options.minutes)),
};
const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, minutes: { type: 'string', default: '1' }, only: { type: 'string', default: Object.keys(parts).join() } },
});
const chosen = options.only.split(',');
for (const part of chosen) if (!parts[part]) throw new Error(`there is no part '${part}'; there are ${Object.keys(parts).join(', ')}`);

const [load] = loadavg();
if (load > 1) console.log(`The machine is busy (load ${load.toFixed(1)}): times are longer than they need to be.`);
print('The page, in headless Chromium, drawn by software', 'measured', 'wanted', '');
try { for (const part of chosen) await parts[part](); } finally { await finish(); }
