// browser.mjs - a person at the page: Chromium, the served build, a page whose console must stay free of errors, pictures of what was seen.
//
// What each test leaves open is closed by `finish`, also when it fails. Pictures go to build/web/shots.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { serve } from '../../tools/serve.mjs';

export const ROOT = resolve(fileURLToPath(import.meta.url), '../../..');
export const APP = process.env.EBB_APP ?? join(ROOT, 'build/web/app');
const SHOTS = join(ROOT, 'build/web/shots');
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--enable-precise-memory-info'];

let started = null;

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

export async function finish() {
  if (!started) return;
  const { browser, server } = await started;
  started = null;
  await browser.close();
  await server.close();
}

/**
 * A page in a context of its own. Errors on its console, exceptions and requests that leave the loopback are collected; `page.quiet()` fails when
 * there are any. Options are those of a Playwright context, and `hash`, `file` (default index.html), `before`: a script file that the page runs first.
 */
export async function open({ hash = '', file = '', ready = true, before, ...context } = {}) {
  started ??= start();
  const { browser, server } = await started;
  const ctx = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...context });
  const page = await ctx.newPage();
  if (before) await page.addInitScript({ path: before });
  const errors = [];
  page.on('console', (m) => { if (m.type() === 'error') errors.push(m.text()); });
  page.on('pageerror', (e) => errors.push(`exception: ${e.stack ?? e}`));
  page.on('request', (r) => { if (!/^(http:\/\/127\.0\.0\.1[:/]|data:|blob:|file:)/.test(r.url())) errors.push(`request to ${r.url()}`); });
  page.quiet = () => assert.deepEqual(errors, []);
  page.url0 = server.url;
  page.shot = (name) => page.screenshot({ path: join(SHOTS, `${name}.png`) });
  await page.goto(server.url + file + hash);
  if (ready) await page.waitForSelector('[data-ready="true"]', { timeout: 30_000 });
  return page;
}

/** Waits until `holds()` is true. */
export async function until(holds, words, ms = 20_000) {
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

/** Stops training and shows the step that was reached. */
export async function inspect(page) {
  await page.getByTestId('inspect').click();
  await page.getByTestId('now').waitFor({ timeout: 30_000 });
}

/** Opens a panel by its tab. */
export async function panel(page, id) {
  const tab = page.getByTestId(`tab-${id}`);
  if (!(await page.getByTestId(`panel-${id}`).isVisible().catch(() => false))) await tab.first().click();
  await page.getByTestId(`panel-${id}`).waitFor();
  return page.getByTestId(`panel-${id}`);
}
