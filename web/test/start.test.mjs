// start.test.mjs - the first seconds: a model that trains, nothing to install, nothing fetched from elsewhere.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { finish, leave, number, open, until } from './browser.mjs';

after(finish);
afterEach(leave);

test('opens on a model that is training, with its graph', async () => {
  const page = await open();
  const first = await number(page, 'steps');
  await until(async () => (await number(page, 'steps')) > first + 20, 'the steps go up by themselves');
  assert.ok((await number(page, 'loss')) < 5);
  assert.match(await page.getByTestId('graph').getAttribute('aria-label'), /^Graph of \w+/);
  await page.shot('start');
  page.quiet();
});

test('pauses, steps once, starts over', async () => {
  const page = await open();
  await page.getByTestId('train').click();
  await until(async () => (await page.getByTestId('train').textContent()).includes('Train'), 'it is paused');
  const at = await number(page, 'steps');
  await page.getByTestId('step').click();
  await until(async () => (await number(page, 'steps')) === at + 1, 'one step more');
  await page.keyboard.press('n');
  await until(async () => (await number(page, 'steps')) === at + 2, 'one step more, by the keyboard');
  await page.getByTestId('restart').click();
  await until(async () => (await number(page, 'steps')) < at, 'the steps begin again');
  page.quiet();
});

test('trains on when the network is gone', async () => {
  const page = await open();
  await page.context().setOffline(true);
  const first = await number(page, 'steps');
  await until(async () => (await number(page, 'steps')) > first + 20, 'the steps go up');
  await page.getByTestId('inspect').click();
  await page.getByTestId('now').waitFor();
  page.quiet();
});

test('a phone shows the graph first, panels as sheets', async () => {
  const page = await open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await page.shot('phone');
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `the page is ${wide} px wide`);
  page.quiet();
});
