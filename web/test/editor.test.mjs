// editor.test.mjs - writing a model: applied when it is right, told where it is wrong, and beside it the graph it stands for.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { apply, example, find, finish, leave, link, open, panel, says, trainsOn, until, write } from './browser.mjs';

after(finish);
afterEach(leave);

const SMALL = `data xor
W = param(2, 2) ~ xavier
h = tanh(x @ W)
loss = cross_entropy(h, y)
train adam lr=0.05
`;
const xor = () => open({ hash: link(example('models/xor'), { step: 1, time: 1000 }) });
const problem = (page) => page.getByTestId('editor-problem');
const underlined = (page) => page.locator('.cm-lintRange-error');
const marked = (page) => page.locator('.editor-marked');
const stillThere = async (page) => {
  await page.keyboard.press('Escape');
  await find(page, 'argmax');
};

test('a text that is right is applied by itself, and trains', async () => {
  const page = await open();
  await write(page, SMALL);
  await says(page.getByTestId('editor-state'), /This is the model that runs/);
  await find(page, 'tanh');
  const tensor = await panel(page, 'inspector');
  await says(tensor.getByTestId('tensor-shape'), /4.*2/);
  await trainsOn(page);
  await page.shot('editor');
  page.quiet();
});

test('not by itself where that is switched off: by the button or Ctrl+Enter, and back', async () => {
  const page = await xor();
  await panel(page, 'editor');
  await page.getByTestId('auto-apply').uncheck();
  await write(page, SMALL);
  await says(page.getByTestId('editor-state'), /Not applied yet/);
  await page.getByTestId('revert').click();
  await says(page.getByTestId('editor-text'), /W2 = param\(8, 2\)/);
  await write(page, SMALL);
  await page.getByTestId('apply').click();
  await says(page.getByTestId('editor-state'), /This is the model that runs/);
  await apply(page, SMALL.replace('tanh', 'relu'));
  await find(page, 'relu');
  page.quiet();
});

test('a syntax error is underlined and said; the graph stays; mended, it runs', async () => {
  const page = await xor();
  await write(page, SMALL.replace('tanh(x @ W)', 'tanh(x @ )'));
  await underlined(page).first().waitFor();
  assert.match(await problem(page).textContent(), /The graph is still that of the last text that was right/);
  assert.ok(await problem(page).getByRole('button', { name: /line 3/ }).isVisible());
  await page.shot('syntax-error');
  await page.getByTestId('editor-text').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(SMALL);
  await says(page.getByTestId('editor-state'), /This is the model that runs/);
  assert.equal(await underlined(page).count(), 0);
  page.quiet();
});

test('a misspelt op: what was meant is one click away', async () => {
  const page = await xor();
  await write(page, SMALL.replace('tanh', 'sigmiod'));
  await says(problem(page), /sigmiod/);
  await page.getByTestId('fix').click();
  await says(page.getByTestId('editor-text'), /h = sigmoid\(x @ W\)/);
  await says(page.getByTestId('editor-state'), /This is the model that runs/);
  page.quiet();
});

test('shapes that do not fit are told with their line and their numbers', async () => {
  const page = await xor();
  await write(page, example('models/xor').replace('W2 = param(8, 2)', 'W2 = param(7, 2)'));
  const text = await says(problem(page), /line 10/);
  assert.match(text, /8/);
  assert.match(text, /7/);
  await problem(page).getByRole('button', { name: 'line 10' }).click();
  await says(page.locator('.cm-activeLine'), /z = h @ W2 \+ b2/);
  await stillThere(page);
  await page.shot('shape-error');
  page.quiet();
});

test('names and ops are completed, with what they do', async () => {
  const page = await xor();
  await panel(page, 'editor');
  await page.getByTestId('auto-apply').uncheck();
  await page.getByTestId('editor-text').click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('q = sigm');
  const list = page.locator('.cm-tooltip-autocomplete');
  await says(list.getByRole('option'), /sigmoid/);
  await page.locator('.cm-completionInfo').waitFor();
  await page.shot('completion');
  await page.keyboard.press('Enter');
  await says(page.getByTestId('editor-text'), /q = sigmoid$/);
  await list.waitFor({ state: 'detached' });
  page.quiet();
});

test('a node marks its lines; a line selects its node', async () => {
  const page = await xor();
  await panel(page, 'editor');
  await find(page, 'tanh');
  await says(marked(page), /^h = tanh\(x @ W1 \+ b1\)$/);
  const tensor = await panel(page, 'inspector');
  await page.locator('.cm-line', { hasText: 'predict p' }).click();
  await says(tensor.getByTestId('tensor-name'), /^p$|softmax/);
  await until(async () => /predict p/.test((await marked(page).allTextContents()).join()), 'the line is marked');
  page.quiet();
});
