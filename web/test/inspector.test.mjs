// inspector.test.mjs - a tensor as picture and numbers, and the formula that made it, with its own numbers in it and its gradient checked.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { example, find, finish, leave, link, open, panel, picture, says, until } from './browser.mjs';

after(finish);
afterEach(leave);

const END = 100_000;
const shown = (name, more = {}) => open({ hash: link(example(name), { step: 2, time: END, ...more }), permissions: ['clipboard-read', 'clipboard-write'] });
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());

/** The row of the table of statistics, as numbers. */
async function stat(tensor, name) {
  const cells = tensor.getByTestId('stats').getByRole('row', { name: new RegExp(`^${name}`) }).getByRole('cell');
  return (await cells.allTextContents()).map((text) => Number(text.replace(/\u2212/g, '-')));
}

test('a parameter: value, gradient, change and what it is after the step', async () => {
  const page = await shown('models/xor');
  const tensor = await panel(page, 'inspector');
  await says(tensor, /Select a node/);
  await find(page, 'W1');
  await says(tensor.getByTestId('tensor-name'), /W1/);
  for (const id of ['value', 'grad', 'change', 'after']) await tensor.getByTestId(`heatmap-${id}`).waitFor();
  const [low] = await stat(tensor, 'min'), [high] = await stat(tensor, 'max'), [mean] = await stat(tensor, 'mean');
  assert.ok(low < mean && mean < high, `${low} < ${mean} < ${high}`);
  await tensor.getByRole('img', { name: /histogram from / }).first().waitFor();

  await tensor.getByTestId('copy-json').click();
  const rows = JSON.parse(await clipboard(page));
  assert.deepEqual([rows.length, rows[0].length], [2, 8]);
  const flat = rows.flat();
  assert.ok(Math.abs(Math.max(...flat) - high) < 1e-2 && Math.abs(flat.reduce((a, b) => a + b) / 16 - mean) < 1e-2);
  await tensor.getByTestId('copy-numpy').click();
  await until(async () => /^array\(\[\[/.test(await clipboard(page)), 'NumPy text is copied');
  await page.shot('parameter');
  page.quiet();
});

test('the picture is pointed at, walked by arrows, zoomed, enlarged', async () => {
  const page = await shown('models/xor');
  const tensor = await panel(page, 'inspector');
  await find(page, 'W1');
  const map = tensor.getByTestId('heatmap-value');
  await map.waitFor();
  await map.hover({ position: { x: 5, y: 5 } });
  await says(tensor.getByTestId('element'), /\[0, 0\].*value/);
  await map.focus();
  await page.keyboard.press('ArrowRight');
  await says(tensor.getByTestId('element'), /\[0, 1\]/);
  await page.keyboard.press('ArrowDown');
  await says(tensor.getByTestId('element'), /\[1, 1\]/);
  const before = await picture(map);
  await tensor.getByTestId('zoom-in').click();
  await until(async () => !(await map.screenshot()).equals(before), 'the picture is nearer');
  await tensor.getByTestId('enlarge').click();
  const dialog = page.getByTestId('tensor-dialog');
  await dialog.getByTestId('heatmap-value').waitFor();
  await page.shot('tensor-dialog');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  page.quiet();
});

test('a slice of four dimensions', async () => {
  const page = await shown('models/digits_cnn');
  const tensor = await panel(page, 'inspector');
  await find(page, 'K2');
  await says(tensor.getByTestId('tensor-shape'), /16.*8.*3.*3/);
  const map = tensor.getByTestId('heatmap-value');
  const first = await picture(map);
  await tensor.getByTestId('slice-0').fill('5');
  await tensor.getByTestId('slice-1').fill('3');
  await until(async () => !(await map.screenshot()).equals(first), 'another slice');
  await map.hover({ position: { x: 8, y: 8 } });
  await says(tensor.getByTestId('element'), /\[5, 3, 0, 0\]/);
  await page.shot('slice');
  page.quiet();
});

test('NaN is counted, hatched and led to', async () => {
  const page = await open({ hash: link(example('mistakes/nan_origin_broken'), { step: 1, time: END }) });
  const tensor = await panel(page, 'inspector');
  await find(page, 'W');
  assert.ok((await stat(tensor, 'NaN'))[1] > 0, 'the gradient has NaN');
  await says(tensor.locator('.legend-bad'), /not finite/);
  const jump = tensor.getByTestId('jump-bad');
  assert.match(await jump.textContent(), /First bad element \[0, 0\]/);
  await jump.click();
  await says(tensor.getByTestId('element'), /\[0, 0\].*NaN/);
  await page.shot('nan');
  page.quiet();
});

test('the formula of a node, with its own numbers, and its gradient checked against differences', async () => {
  const page = await shown('models/xor');
  const formula = await panel(page, 'formula');
  await find(page, 'tanh');
  for (const way of ['forward', 'backward']) await formula.locator(`.formula-rows.${way} math`).first().waitFor();
  const worked = await says(formula.getByTestId('worked'), /= tanh\(.*\) = /);
  const [, of, is] = /tanh\((-?[\d.]+)\) = (-?[\d.]+)/.exec(worked.replace(/\u2212/g, '-'));
  assert.ok(Math.abs(Math.tanh(Number(of)) - Number(is)) < 2e-3, worked);
  await page.shot('formula');
  await formula.getByTestId('check-operand-0').click();
  await says(formula.getByTestId('derivative-verdict'), /^All \d+ elements agree/);
  const rows = formula.getByTestId('derivative').locator('tbody tr');
  assert.ok((await rows.count()) >= 4);
  for (const row of await rows.all()) {
    const [rule, differences] = (await row.locator('td').allTextContents()).map((text) => Number(text.replace(/\u2212/g, '-')));
    assert.ok(Math.abs(rule - differences) < 1e-3, `${rule} beside ${differences}`);
  }
  await page.shot('gradient-check');
  page.quiet();
});

test('a product shows its terms, another element can be chosen', async () => {
  const page = await shown('models/worked_numbers', { step: undefined });
  const formula = await panel(page, 'formula');
  await find(page, 'matmul');
  await says(formula.getByTestId('terms'), /together\s*1\.5/);
  page.quiet();
});

test('the verifier checks an op fully', async () => {
  const page = await shown('models/xor');
  const formula = await panel(page, 'formula');
  await find(page, 'tanh');
  await formula.getByTestId('verify-op').click();
  await says(formula, /tanh passed every check/, 120_000);
  assert.ok((await formula.getByTestId('checks').locator('li.passed').count()) >= 8);
  assert.equal(await formula.getByTestId('checks').locator('li.failed').count(), 0);
  await page.shot('verify');
  page.quiet();
});
