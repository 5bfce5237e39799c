// gallery.test.mjs - the models and mistakes that come with the page: each model trains, each mistake fails as it should beside its repair.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { example, find, finish, leave, link, number, open, panel, ROOT, says, until } from './browser.mjs';

after(finish);
afterEach(leave);

const names = (folder, pattern) => readdirSync(join(ROOT, 'examples', folder)).map((file) => pattern.exec(file)?.[1]).filter(Boolean).sort();
const trains = (name) => /^train /m.test(example(`models/${name}`));

test('every model opens and learns', async () => {
  const page = await open();
  const models = names('models', /^(.*)\.ebb$/);
  for (const name of models) {
    await panel(page, 'gallery');
    await page.getByTestId(`model-${name}`).click();
    await until(async () => (await page.getByTestId(`model-${name}`).getAttribute('aria-current')) === 'true', `${name} is the one that runs`);
    await says(page.locator('.model-name'), new RegExp(`^${name}$`));
    assert.match(await page.getByTestId('graph').getAttribute('aria-label'), new RegExp(name));
    if (trains(name)) await until(async () => (await number(page, 'steps')) > 3, `${name} trains`);
    assert.ok(Number.isFinite(await number(page, 'loss')), `${name} has a loss`);
  }
  assert.equal(await page.getByTestId('notice').filter({ hasText: /failed|problem/ }).count(), 0);
  await page.shot('gallery');
  page.quiet();
});

test('the loss of a model falls', async () => {
  for (const name of ['xor', 'linear_regression', 'logistic_regression']) {
    const page = await open({ hash: link(example(`models/${name}`)) });
    await says(page.getByTestId('notice'), /Training is done/);
    const end = await number(page, 'loss');
    await page.getByTestId('restart').click();
    await until(async () => (await number(page, 'steps')) === 1, 'it starts over');
    const begin = await number(page, 'loss');
    assert.ok(end < begin / 1.5, `${name}: from ${begin} to ${end}`);
    page.quiet();
    await page.context().close();
  }
});

/** What the engine finds in each mistake, and in no repair. */
const FOUND = {
  dead_relu: 'dead-relu', exploding_rate: 'exploding-gradient', nan_origin: 'nan-origin', not_zeroed: 'not-zeroed', unstable_softmax: 'unstable-softmax', vanishing_sigmoid: 'vanishing-gradient',
};

for (const name of names('mistakes', /^(.*)_broken\.ebb$/)) {
  test(`the mistake ${name}, beside its repair`, async () => {
    const page = await open({ hash: link(example('models/worked_numbers')) });
    await panel(page, 'gallery');
    await page.getByTestId(`mistake-${name}`).click();
    const dialog = page.getByTestId('mistake-dialog');
    const broken = dialog.getByTestId('contestant-broken'), fixed = dialog.getByTestId('contestant-fixed');
    const code = FOUND[name] ?? assert.fail(`no finding is known for ${name}`);
    await until(async () => (await broken.locator(`[data-code="${code}"]`).count()) > 0, `${code} is found`, 60_000);
    const finding = broken.locator(`[data-code="${code}"]`).first();
    assert.match(await finding.textContent(), /\d/, 'with its numbers');
    assert.match(await finding.textContent(), /What to do/);
    assert.ok((await dialog.getByTestId('diff').locator('.differs').count()) > 0, 'the line that differs is marked');
    for (const words of ['What goes wrong', 'Why', 'The fix']) assert.ok(await dialog.getByText(words, { exact: true }).isVisible(), words);
    await until(async () => /\d/.test(await fixed.locator('dd').first().textContent()), 'the repair trains');
    assert.equal(await fixed.locator(`[data-code="${code}"]`).count(), 0);
    await dialog.getByTestId('mistake-plot').waitFor();
    await page.shot(`mistake-${name}`);
    await dialog.getByTestId('open-fixed').click();
    await dialog.waitFor({ state: 'detached' });
    await says(page.locator('.model-name'), new RegExp(`${name}_fixed`));
    page.quiet();
  });
}

test('a finding leads to its node, its tensor and its line', async () => {
  const page = await open({ hash: link(example('mistakes/nan_origin_broken'), { step: 1, time: 0 }) });
  const findings = await panel(page, 'findings');
  const card = findings.locator('[data-code="nan-origin"]').first();
  assert.match(await card.textContent(), /sqrt.*line 10/);
  await page.shot('findings');
  await card.getByRole('button', { name: /distance|sqrt/ }).first().click();
  await page.getByRole('group', { name: 'Selection' }).waitFor();
  await card.getByRole('button', { name: 'line 10' }).click();
  await says(page.locator('.editor-marked'), /distance = sqrt/);
  page.quiet();
});

test('two mistakes are told apart: nothing is found where nothing is wrong', async () => {
  const page = await open({ hash: link(example('models/xor'), { step: 2, time: 0 }) });
  await says(await panel(page, 'findings'), /Nothing is wrong with step 2/);
  await find(page, 'tanh');
  page.quiet();
});
