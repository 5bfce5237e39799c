// share.test.mjs - what leaves the page and comes back: links, trace files, pictures.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { drop, example, find, finish, leave, link, notice, number, open, panel, picture, ROOT, saved, says, until } from './browser.mjs';

after(finish);
afterEach(leave);

const COMMAND = [process.env.EBB_COMMAND, 'build/release/ebb', '.q/ebb'].filter(Boolean).map((file) => join(ROOT, file)).find(existsSync);
const now = (page) => page.getByTestId('now').textContent();
const isAt = (page, text) => until(async () => (await now(page)).startsWith(text), `the timeline is at ${text}`);

/** Opens the dialog; -> the link in it. */
async function linkOf(page) {
  await page.getByTestId('share').click();
  const field = page.getByTestId('link');
  await until(async () => (await field.inputValue()).includes('#ebb1='), 'the link is there');
  return field.inputValue();
}

test('a link holds model, step, moment and view', async () => {
  const page = await open({ hash: link(example('models/moons'), { step: 7, time: 0 }) });
  for (let i = 1; i <= 5; i++) {
    await page.getByTestId('forward').click();
    await isAt(page, `${i}/`);
  }
  await page.keyboard.press('g');
  await page.keyboard.press('+');
  await picture(page.getByTestId('graph'));
  const address = new URL(await linkOf(page));
  await page.shot('share');
  await page.keyboard.press('Escape');
  const loss = await page.getByTestId('loss').textContent();

  const other = await open({ hash: address.hash });
  await isAt(other, '5/');
  assert.equal(await number(other, 'steps'), 7);
  assert.equal(await other.getByTestId('loss').textContent(), loss, 'the same bits');
  await other.getByTestId('legend').waitFor();
  assert.equal(new URL(await linkOf(other)).hash, address.hash, 'the same view');
  await other.keyboard.press('Escape');
  await says((await panel(other, 'editor')).getByTestId('editor-text'), /Moons: two half circles/);
  page.quiet();
  other.quiet();
});

test('a link is copied', async () => {
  const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
  await page.getByTestId('share').click();
  await page.getByTestId('copy-link').click();
  await notice(page, /The link is copied/);
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /#ebb1=/);
  page.quiet();
});

test('recorded steps are saved as one file and opened again, in another page', async () => {
  const page = await open({ hash: link(example('models/xor'), { step: 2, time: 0 }) });
  for (const step of [3, 4]) {
    await page.getByTestId('inspect').click();
    await says(page.locator('.frame-step'), new RegExp(`step ${step}$`));
  }
  await page.getByTestId('share').click();
  const { name, bytes } = await saved(page, 'save-trace');
  assert.match(name, /^test-step-4\.ebbtrace$/);
  page.quiet();

  const other = await open({ hash: link(example('models/worked_numbers')) });
  await other.getByTestId('share').click();
  await other.getByTestId('trace-file').setInputFiles({ name, mimeType: 'application/octet-stream', buffer: bytes });
  await says(other.locator('.frame-step'), /step 2$/);
  await other.getByTestId('frame-next').click();
  await says(other.locator('.frame-step'), /step 3$/);
  await find(other, 'tanh');
  await says((await panel(other, 'inspector')).getByTestId('stats'), /mean/);
  await other.getByTestId('compare').click();
  await says(other.getByTestId('changes'), /\d\s?%/);
  other.quiet();
});

test('a file the command line wrote is dropped on the page', async () => {
  assert.ok(COMMAND, 'there is no command ebb: ./dev build makes it');
  const folder = mkdtempSync(join(tmpdir(), 'ebb-'));
  try {
    const file = join(folder, 'x.ebbtrace');
    execFileSync(COMMAND, ['trace', join(ROOT, 'examples/models/xor.ebb'), '--steps', '10', '--at', '1,5,10', '--out', file, '--quiet']);
    const page = await open();
    await drop(page.getByTestId('graph'), { name: 'x.ebbtrace', bytes: readFileSync(file) });
    await says(page.locator('.frame-step'), /step 1$/);
    await page.getByTestId('frame-slider').fill('2');
    await says(page.locator('.frame-step'), /step 10$/);
    await find(page, 'tanh');
    page.quiet();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('files that are damaged are told, and what was there stays', async () => {
  const page = await open({ hash: link(example('models/xor'), { step: 1, time: 0 }) });
  await page.getByTestId('share').click();
  const { bytes } = await saved(page, 'save-trace');
  await page.keyboard.press('Escape');
  const other = Buffer.from(bytes);
  other.writeUInt32LE(99, 8);
  for (const [name, given] of [
    ['cut.ebbtrace', bytes.subarray(0, bytes.length >> 1)], ['version.ebbtrace', other], ['empty.ebbtrace', Buffer.alloc(0)],
    ['random.ebbtrace', Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919 + 13 * i * i) & 255))],
  ]) {
    await drop(page.getByTestId('graph'), { name, bytes: given });
    await notice(page, /Opening the trace file failed/);
    await page.shot(`damaged-${name.split('.')[0]}`);
    await page.getByTestId('notice').getByRole('button', { name: 'Dismiss' }).first().click();
    await until(async () => (await page.getByTestId('notice').count()) === 0, 'it is read');
  }
  await find(page, 'tanh');
  await page.getByTestId('train').click();
  await notice(page, /Training is done/);
  page.quiet();
});

test('the graph as SVG and as PNG', async () => {
  const page = await open({ hash: link(example('models/moons'), { step: 2, time: 1000 }) });
  await page.getByTestId('share').click();
  const svg = await saved(page, 'save-svg');
  assert.match(svg.name, /\.svg$/);
  const parsed = await page.evaluate((text) => {
    const doc = new DOMParser().parseFromString(text, 'image/svg+xml');
    return { wrong: doc.querySelector('parsererror')?.textContent ?? '', root: doc.documentElement.localName, texts: [...doc.querySelectorAll('text')].map((t) => t.textContent).join(' '), active: doc.querySelectorAll('script, foreignObject').length };
  }, svg.bytes.toString());
  assert.equal(parsed.wrong, '');
  assert.equal(parsed.root, 'svg');
  assert.match(parsed.texts, /relu/);
  assert.equal(parsed.active, 0);
  const png = await saved(page, 'save-png');
  assert.deepEqual([...png.bytes.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  assert.equal(png.bytes.subarray(-8, -4).toString('latin1'), 'IEND');
  const [width, height] = [png.bytes.readUInt32BE(16), png.bytes.readUInt32BE(20)];
  assert.ok(width > 200 && height > 200, `${width} x ${height}`);
  page.quiet();
});
