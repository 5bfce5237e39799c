// graph.test.mjs - the drawing under the hand: moved, zoomed, searched, opened; where things come from and where their gradients go.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { example, find, finish, leave, link, open, panel, picture, says, until } from './browser.mjs';

after(finish);
afterEach(leave);

const xor = () => open({ hash: link(example('models/xor'), { step: 2, time: 1000 }) });
const spirals = () => open({ hash: link(example('models/residual_mlp'), { step: 2, time: 1000 }) });
const graph = (page) => page.getByTestId('graph');
const middle = async (page) => {
  const box = await graph(page).boundingBox();
  return { x: box.x + box.width / 2, y: box.y + box.height / 2, box };
};
const changes = async (page, act, words) => {
  const before = await picture(graph(page));
  await act();
  await until(async () => !(await graph(page).screenshot()).equals(before), words);
  return before;
};
const title = (page) => page.locator('.hover-title');

/** Points at things along the middle of the drawing, from above, until what the tip says is this. -> the place */
async function pointAt(page, pattern) {
  const { box } = await middle(page);
  for (const share of [0.5, 0.45, 0.55, 0.4, 0.6]) {
    for (let y = box.y + 20; y < box.y + box.height - 10; y += 9) {
      const x = box.x + box.width * share;
      await page.mouse.move(x, y);
      if (await title(page).count() && pattern.test((await title(page).allTextContents()).join())) return { x, y };
    }
  }
  throw new assert.AssertionError({ message: `nothing in the graph is called ${pattern}` });
}

test('pans by hand, wheel and arrows; shows everything again', async () => {
  const page = await xor();
  const { x, y } = await middle(page);
  const fitted = await picture(graph(page));
  await changes(page, async () => {
    await page.mouse.move(x + 150, y);
    await page.mouse.down();
    await page.mouse.move(x + 40, y + 90, { steps: 6 });
    await page.mouse.up();
    await page.mouse.move(5, 5);
  }, 'dragging moves it');
  await changes(page, async () => {
    await page.mouse.move(x, y);
    await page.mouse.wheel(0, 120);
    await page.mouse.move(5, 5);
  }, 'the wheel moves it');
  await graph(page).focus();
  await changes(page, () => page.keyboard.press('ArrowLeft'), 'an arrow moves it');
  await page.getByTestId('fit').click();
  await page.mouse.move(5, 5);
  await page.locator('body').focus();
  await until(async () => {
    await page.evaluate(() => document.activeElement.blur());
    return (await picture(graph(page))).equals(fitted);
  }, 'all of it is shown again, as in the beginning');
  page.quiet();
});

test('zooms by buttons, keys, and the wheel with Ctrl; the small map leads back', async () => {
  const page = await spirals();
  const { x, y } = await middle(page);
  await changes(page, () => page.getByTestId('zoom-in').click(), 'the button zooms in');
  await changes(page, () => page.getByTestId('zoom-out').click(), 'the button zooms out');
  await changes(page, () => page.keyboard.press('+'), 'the key zooms in');
  await changes(page, () => page.keyboard.press('-'), 'the key zooms out');
  await page.mouse.move(x, y);
  await page.keyboard.down('Control');
  for (let i = 0; i < 4; i++) await page.mouse.wheel(0, -200);
  await page.keyboard.up('Control');
  const map = page.getByTestId('minimap');
  await map.waitFor();
  await page.shot('minimap');
  const box = await map.boundingBox();
  await changes(page, () => page.mouse.click(box.x + box.width / 2, box.y + 8), 'a click on the map goes there');
  await page.keyboard.press('f');
  await map.waitFor({ state: 'detached' });
  page.quiet();
});

test('search marks what it finds and goes there', async () => {
  const page = await xor();
  await page.keyboard.press('/');
  const field = page.getByTestId('search-input');
  await field.fill('tanh');
  await says(page.getByRole('status'), /\d+ found/);
  const options = page.getByRole('option');
  assert.match(await options.first().textContent(), /tanh/);
  await field.fill('2x8');
  assert.match((await options.allTextContents()).join(), /W1/);
  await field.fill('no such thing');
  await says(page.getByRole('status'), /Nothing has these words/);
  await field.fill('matmul');
  await says(options.nth(1), /matmul/);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByTestId('search-dialog').waitFor({ state: 'detached' });
  const tensor = await panel(page, 'inspector');
  await says(tensor.getByTestId('tensor-shape'), /4.*2/);
  page.quiet();
});

test('what is pointed at says its numbers, a click selects it, Escape lets go', async () => {
  const page = await xor();
  const tensor = await panel(page, 'inspector');
  const at = await pointAt(page, /tanh/);
  assert.match((await page.locator('.tip-facts').allTextContents()).join(), /shape.*4.*8.*value.*±/);
  await page.shot('hover');
  await page.mouse.click(at.x, at.y);
  await says(tensor.getByTestId('tensor-name'), /^h$/);
  await page.keyboard.press('Escape');
  await says(tensor, /Select a node of the graph/);
  page.quiet();
});

test('groups close and open by a double click', async () => {
  const page = await open({ hash: link(example('models/residual_mlp'), { step: 2, time: 1000 }) });
  const fitted = await picture(graph(page));
  await changes(page, () => page.getByTestId('close-all').click(), 'closed groups are one box');
  const closed = await picture(graph(page));
  assert.ok(!closed.equals(fitted));
  const at = await pointAt(page, /block|layer|residual|cross_entropy/);
  const name = await title(page).textContent();
  await page.mouse.dblclick(at.x, at.y);
  await until(async () => !(await graph(page).screenshot()).equals(closed), `${name} is open`);
  await changes(page, () => page.getByTestId('open-all').click(), 'all groups open');
  await picture(graph(page));
  await page.shot('groups-open');
  page.quiet();
});

test('upstream and downstream stand out', async () => {
  const page = await xor();
  await find(page, 'tanh');
  const { x } = await middle(page);
  await page.mouse.move(x, 5);
  const plain = await picture(graph(page));
  await page.getByTestId('upstream').click();
  const up = await says(page.getByTestId('lineage'), /Leads to the selection: \d+ ops?/);
  assert.ok(!(await picture(graph(page))).equals(plain));
  await page.shot('upstream');
  await page.keyboard.press('d');
  const down = await says(page.getByTestId('lineage'), /Follows from the selection: \d+ ops?/);
  assert.notEqual(/\d+/.exec(up)[0], /\d+/.exec(down)[0]);
  await page.getByRole('button', { name: 'Show everything again' }).click();
  await page.getByTestId('lineage').waitFor({ state: 'detached' });
  page.quiet();
});

test('gradients on the edges, with a legend', async () => {
  const page = await xor();
  await changes(page, () => page.getByTestId('flow').click(), 'edges have their gradients');
  const legend = await page.getByTestId('legend').textContent();
  for (const words of ['mean above 0', 'mean below 0', 'vanished', 'NaN or infinite']) assert.ok(legend.includes(words), words);
  assert.equal(await page.getByTestId('flow').getAttribute('aria-pressed'), 'true');
  await page.shot('flow');
  await page.keyboard.press('g');
  await page.getByTestId('legend').waitFor({ state: 'detached' });
  page.quiet();
});

test('draws from left to right, and keeps that', async () => {
  const page = await xor();
  await changes(page, () => page.getByTestId('direction').click(), 'another direction');
  await picture(graph(page));
  await page.shot('left-to-right');
  await page.reload();
  await page.getByRole('button', { name: 'Draw from top to bottom' }).waitFor();
  page.quiet();
});
