// plugins.test.mjs - ops brought along: a right one is verified and used, a wrong one is refused with its report, and nothing harms the page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { drop, example, finish, leave, link, open, panel, ROOT, says, trainsOn, until } from './browser.mjs';

after(finish);
afterEach(leave);

const VERIFIED_MS = 120_000;
const plugin = (name) => ({ name: `${name}.wasm`, bytes: readFileSync(join(ROOT, `build/engine-full/plugins/${name}.wasm`)) });
const certificate = (page) => page.getByTestId('certificate').first();

/** Drops one file on the plugin panel; -> what is said of it. */
async function dropPlugin(page, file) {
  const before = await page.getByTestId('certificate').count();
  await panel(page, 'plugins');
  await drop(page.getByTestId('drop'), file);
  await until(async () => (await page.getByTestId('certificate').count()) === before + 1, `${file.name} is judged`, VERIFIED_MS);
  return certificate(page).textContent();
}

test('a right plugin: verified, with its certificate; used in the model, which trains with it', async () => {
  const page = await open({ hash: link(example('models/xor').replace(' steps=200', '')) });
  const text = await dropPlugin(page, plugin('my_swish'));
  assert.match(text, /my_swish is verified: \d+ checks passed/);
  await certificate(page).getByText(/^Checks: \d+ passed, 0 failed/).click();
  assert.ok((await certificate(page).getByRole('row', { name: /passed/ }).count()) >= 8);
  await certificate(page).getByText('The file').click();
  assert.match(await certificate(page).textContent(), /[0-9a-f]{64}/);
  await page.shot('plugin-accepted');
  await page.getByTestId('use-my_swish').click();
  await says(page.getByTestId('editor-text'), /my_swish\(/);
  await says(page.getByTestId('editor-state'), /This is the model that runs/);
  if ((await page.getByTestId('train').textContent()) === 'Train') await page.getByTestId('train').click();
  await trainsOn(page);
  await page.getByTestId('search').click();
  await page.getByTestId('search-input').fill('my_swish');
  await says(page.getByRole('option'), /my_swish/);
  page.quiet();
});

test('a rule that lacks a factor is refused, with the report', async () => {
  const page = await open();
  const text = await dropPlugin(page, plugin('demo_missing_factor'));
  assert.match(text, /is refused. Nothing of it was loaded/);
  assert.match(await page.getByTestId('refusal').textContent(), /a factor 1\.7881 is missing/);
  assert.ok((await certificate(page).getByRole('row', { name: /failed/ }).count()) > 0);
  assert.equal(await page.getByTestId('use-scaled_swish').count(), 0);
  await page.shot('plugin-refused');
  await trainsOn(page);
  page.quiet();
});

for (const [what, file, words] of [
  ['a text', { name: 'text.wasm', bytes: Buffer.from('not a module at all') }, /not a WebAssembly module/],
  ['an empty file', { name: 'empty.wasm', bytes: Buffer.alloc(0) }, /not a WebAssembly module/],
  ['a module cut short', { name: 'cut.wasm', bytes: () => plugin('my_swish').bytes.subarray(0, 500) }, /cannot be compiled/],
  ['a module that is no plugin', 'no_plugin', /has no ebb_plugin_entry/],
  ['an import nobody has', 'missing_import', /nobody_has_this/],
  ['one that traps', 'traps', /stopped the engine/],
  ['one that never ends', 'endless', /did not go on|was stopped/],
]) {
  test(`${what} is refused, the page lives on`, async () => {
    const page = await open();
    const given = typeof file === 'string' ? plugin(file) : { name: file.name, bytes: typeof file.bytes === 'function' ? file.bytes() : file.bytes };
    const text = await dropPlugin(page, given);
    assert.match(text, /is refused/);
    assert.match(text, words);
    await trainsOn(page);
    page.quiet();
  });
}

test('by the file chooser, and dropped anywhere on the page', async () => {
  const page = await open({ hash: link(example('models/worked_numbers')) });
  await panel(page, 'plugins');
  const { name, bytes } = plugin('no_plugin');
  await page.getByTestId('plugin-file').setInputFiles({ name, mimeType: 'application/wasm', buffer: bytes });
  await says(certificate(page), /is refused/, VERIFIED_MS);
  await drop(page.getByTestId('graph'), plugin('missing_import'));
  await says(certificate(page), /nobody_has_this/, VERIFIED_MS);
  await drop(page.getByTestId('graph'), { name: 'holiday.jpg', bytes: Buffer.from('x') });
  await says(page.getByTestId('notice'), /holiday\.jpg is no file this page can open/);
  page.quiet();
});
