// browser.mjs - a person at the page: Chromium, the served build, a page whose console must stay free of errors, pictures of what was seen.
//
// What each test leaves open is closed by `finish`, also when it fails. Pictures go to build/web/shots.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { serve } from '../../tools/serve.mjs';

export const ROOT = resolve(fileURLToPath(import.meta.url), '../../..');
export const APP = process.env.EBB_APP ?? join(ROOT, 'build/web/app');
const SHOTS = join(ROOT, 'build/web/shots');
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--enable-precise-memory-info'];

let started = null;
/** The contexts of this test. */
let contexts = [];

/** The browser and the server of this test file; started once. */
async function start() {
  assert.ok(existsSync(join(APP, 'index.html')), `${APP} holds no page: ./dev web builds it`);
  mkdirSync(SHOTS, { recursive: true });
  const [browser, server] = await Promise.all([
    chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS }),
    serve(APP),
  ]);
  return { browser, server };
}

/** What the test opened goes with it, so that no page trains on beside the next test. */
export async function leave() {
  const open = contexts;
  contexts = [];
  await Promise.all(open.map((ctx) => ctx.close()));
}

export async function finish() {
  if (!started) return;
  const { browser, server } = await started;
  started = null;
  await browser.close();
  await server.close();
}

/**
 * A page in a context of its own. Errors on its console, exceptions and requests that leave the loopback are collected; `page.quiet()` fails when
 * there are any. Options are those of a Playwright context, and `hash`, `before`: a script file that the page runs first.
 */
export async function open({ hash = '', ...context } = {}) {
  started ??= start();
  return openAt((await started).server.url + hash, context);
}

/** The same, of a page at any address: file://, say. */
export async function openFile(address, context = {}) {
  started ??= start();
  return openAt(address, context);
}

async function openAt(address, { before, ...context }) {
  const { browser } = await started;
  const ctx = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...context });
  contexts.push(ctx);
  const page = await ctx.newPage();
  page.setDefaultTimeout(60_000);
  if (before) await page.addInitScript({ path: before });
  const errors = [];
  page.on('console', (m) => { if (m.type() === 'error') errors.push(m.text()); });
  page.on('pageerror', (e) => errors.push(`exception: ${e.stack ?? e}`));
  page.on('request', (r) => { if (!/^(http:\/\/127\.0\.0\.1[:/]|data:|blob:|file:)/.test(r.url())) errors.push(`request to ${r.url()}`); });
  page.quiet = () => assert.deepEqual(errors, []);
  page.shot = (name) => page.screenshot({ path: join(SHOTS, `${name}.png`) });
  await page.goto(address);
  await page.waitForSelector('[data-ready="true"]', { timeout: 60_000 });
  return page;
}

/** Waits until `holds()` is true. */
export async function until(holds, words, ms = 40_000) {
  const end = Date.now() + ms;
  for (;;) {
    if (await holds()) return;
    assert.ok(Date.now() < end, `not within ${ms / 1000} s: ${words}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** The number that an element shows. */
export async function number(page, testid) {
  return Number((await page.getByTestId(testid).first().textContent()).replace(/[^\d.eE+-]/g, ''));
}

/** Waits until an element says this, and returns all it says. */
export async function says(locator, pattern, ms = 30_000) {
  let text = '';
  await until(async () => pattern.test((text = (await locator.allTextContents()).join(' '))), `${pattern} is said`, ms)
    .catch((e) => { throw new assert.AssertionError({ message: `${e.message}; said is: ${text.slice(0, 600)}` }); });
  return text;
}

/** Waits for a notice, and returns its text. */
export const notice = (page, pattern) => says(page.getByTestId('notice'), pattern);

/** Stops training and shows the step that was reached, before its first event. */
export async function inspect(page) {
  await page.getByTestId('inspect').click();
  await says(page.getByTestId('now'), /^0\//);
}

/** Stops training. */
export async function pause(page) {
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.getByRole('button', { name: 'Train', exact: true }).waitFor();
}

/** Opens a panel: by its tab, or by the rail where its side is closed. */
export async function panel(page, id) {
  const body = page.getByTestId(`panel-${id}`);
  if (await body.isVisible()) return body;
  const tab = page.getByTestId(`tab-${id}`), rail = page.getByTestId(`open-${id}`);
  await ((await tab.isVisible()) ? tab : rail).click();
  await body.waitFor();
  return body;
}

/** The hash of a link to a model: trains it, or shows step `step` at event `time`. Any fields of permalink.ts. */
export const link = (text, more = {}) => packed(JSON.stringify({ name: 'test', text, ...more }));
export const packed = (json) => `#ebb1=${deflateRawSync(json).toString('base64url')}`;

/** The text of an example: "models/xor", "mistakes/nan_origin_broken". */
export const example = (name) => readFileSync(join(ROOT, `examples/${name}.ebb`), 'utf8');

/** Writes a text into the editor, in place of what is there. */
export async function write(page, text) {
  await panel(page, 'editor');
  await page.getByTestId('editor-text').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(text);
}

/** Writes a model and waits until it is the one that runs. */
export async function apply(page, text) {
  await write(page, text);
  await page.keyboard.press('Control+Enter');
  await says(page.getByTestId('editor-state'), /This is the model that runs/);
}

/** Selects by the search what these words find first. */
export async function find(page, words) {
  await page.getByTestId('search').click();
  await page.getByTestId('search-input').fill(words);
  await page.locator('#found-0').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('group', { name: 'Selection' }).waitFor();
}

/** Drops files on an element, as from a file manager. files: [{ name, bytes }] */
export async function drop(locator, ...files) {
  const data = await locator.page().evaluateHandle((list) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of list) transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
    return transfer;
  }, files.map(({ name, bytes }) => ({ name, base64: Buffer.from(bytes).toString('base64') })));
  for (const type of ['dragenter', 'dragover', 'drop']) await locator.dispatchEvent(type, { dataTransfer: data });
}

/** What a download button gives: { name, bytes }. */
export async function saved(page, testid) {
  const [download] = await Promise.all([page.waitForEvent('download', { timeout: 60_000 }), page.getByTestId(testid).click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** Waits until an element's picture stays the same, and returns it. */
export async function picture(locator) {
  let last = await locator.screenshot();
  await until(async () => {
    const before = last;
    last = await locator.screenshot();
    return last.equals(before);
  }, 'the picture comes to rest', 30_000);
  return last;
}

/** Trains on: the steps go up. */
export async function trainsOn(page) {
  const first = await number(page, 'steps');
  await until(async () => (await number(page, 'steps')) > first, 'the steps go up', 40_000);
}
