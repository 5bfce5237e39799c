// hostile.test.mjs - links made to harm, and texts no model is: each is told in the page, nothing of it runs, the page lives on.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { example, finish, leave, link, notice, open, packed, panel, says, trainsOn, until, write } from './browser.mjs';

after(finish);
afterEach(leave);

for (const [what, hash, words] of [
  ['of another page', '#/some/route', /not one of this page/],
  ['longer than any of ours', `#ebb1=${'A'.repeat(70_000)}`, /longer than 64 KB/],
  ['with other letters', '#ebb1=%%%<script>', /characters that none of ours has|not one of this page/],
  ['cut short', link(example('models/xor')).slice(0, 60), /damaged|cut short/],
  ['of noise', `#ebb1=${Buffer.from('nothing that inflates').toString('base64url')}`, /damaged/],
  ['that inflates without end', packed(' '.repeat(30_000_000)), /larger than 256 KB/],
  ['without a model', packed('{"a":1}'), /holds no model/],
  ['with a list', packed('[1,2]'), /holds no model/],
  ['with an empty model', link('   '), /empty/],
  ['that is no JSON', packed('{"text": '), /damaged/],
]) {
  test(`a link ${what}`, async () => {
    const page = await open({ hash });
    await notice(page, words);
    await trainsOn(page);
    page.quiet();
  });
}

test('markup in name and text stays text', async () => {
  const evil = '<img src=x onerror="document.title=\'harmed\'"><script>document.title="harmed"</script>';
  const text = `# ${evil}\n${example('models/xor')}`;
  const page = await open({ hash: link(text, { name: evil, step: 1, time: 0 }) });
  await says((await panel(page, 'editor')).getByTestId('editor-text'), /<img src=x onerror/);
  await panel(page, 'gallery');
  await panel(page, 'outline');
  assert.equal(await page.locator('img[src="x"]').count(), 0, 'nothing became markup');
  assert.doesNotMatch(await page.title(), /harmed/);
  assert.doesNotMatch(await page.locator('.model-name').textContent(), /[<>"]/);
  page.quiet();
});

test('fields of other types are left out', async () => {
  const page = await open({ hash: packed(JSON.stringify({ name: 'n', text: example('models/xor'), step: 'x', time: -5, camera: { x: 'a' }, flow: 'yes', __proto__: { right: true } })) });
  await trainsOn(page);
  page.quiet();
});

test('a model of a stranger with a mistake in it is told, with what is there instead', async () => {
  const page = await open({ hash: link('loss = nonsense(1)') });
  await notice(page, /The model in the link has a problem/);
  await trainsOn(page);
  page.quiet();
});

/** Opens a model; once more where the engine was busy for so long that it was started again meanwhile. */
async function openXor(page) {
  const failed = page.getByTestId('notice').filter({ hasText: 'Loading the model failed' });
  const loaded = async () => (await page.locator('.model-name').textContent()) === 'xor';
  await panel(page, 'gallery');
  await until(async () => {
    await page.getByTestId('model-xor').click();
    await until(async () => (await loaded()) || (await failed.count()) > 0, 'an answer', 90_000);
    if (await failed.count()) await failed.getByRole('button', { name: 'Dismiss' }).first().click();
    return loaded();
  }, 'the model is loaded', 240_000);
}

const wrong = (page) => says(page.getByTestId('editor-problem').or(page.getByTestId('notice')), /\S/);
for (const [what, text, words] of [
  ['nothing', ' ', /empty|no loss|nothing/i],
  ['noise', String.fromCharCode(...Array.from({ length: 600 }, (_, i) => (i * 7919) % 0x2fff || 1)), /\S/],
  ['a parameter larger than any memory', 'W = param(1000000, 1000000)\nloss = sum(W)\ntrain sgd lr=0.1\n', /memory|large|bytes|elements/i],
  ['a tensor larger than the page may have', 'a = param(50000, 1) ~ ones\nloss = mean(a @ a.transpose(0, 1))\ntrain sgd lr=0.1\n', /memory|large|bytes/i],
  ['repeats without end', `data xor\nx1 = x\n${'repeat 10000 {\n'.repeat(3)}x1 = x1 + 1\n${'}\n'.repeat(3)}loss = mean(x1)\n`, /\S/],
  ['brackets ten thousand deep', `loss = ${'('.repeat(10_000)}1${')'.repeat(10_000)}\n`, /\S/],
  ['a line of a hundred thousand letters', `loss = ${'a'.repeat(100_000)}\n`, /\S/],
]) {
  test(`a text that is ${what}`, async () => {
    const page = await open();
    await write(page, text);
    await page.keyboard.press('Control+Enter');
    assert.match(await wrong(page), words);
    await openXor(page);
    await notice(page, /Training is done/);
    page.quiet();
  });
}

test('numbers that are none stop the training, which says so', async () => {
  const page = await open({ hash: link('data moons batch 64\nW = param(2, 2) ~ ones\nz = log(x @ W)\nloss = cross_entropy(z, y)\ntrain sgd lr=0.1\n') });
  await notice(page, /finite|NaN/);
  await page.shot('not-finite');
  await page.getByTestId('notice').getByRole('button', { name: 'Inspect' }).first().click();
  await says(await panel(page, 'findings'), /NaN/);
  page.quiet();
});
