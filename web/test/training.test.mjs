// training.test.mjs - watching a model learn: curves, metrics, how far parameters move, what it says of its data.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { example, finish, inspect, leave, link, notice, number, open, panel, says, trainsOn, until } from './browser.mjs';

after(finish);
afterEach(leave);

const training = (name) => open({ hash: link(example(`models/${name}`)) });
const label = (page, testid) => page.getByTestId(testid).getAttribute('aria-label');

test('curves, metrics and update ratios grow with the steps', async () => {
  const page = await open();
  const side = await panel(page, 'training');
  await side.getByTestId('loss-plot').waitFor();
  const points = async () => Number(/over ([\d,]+) recorded steps/.exec(await label(page, 'loss-plot'))[1].replace(/,/g, ''));
  await until(async () => (await points()) > 30, 'the curve has points');
  assert.match(await label(page, 'metric-plot'), /accuracy now 0\.\d|accuracy now 1/);
  assert.match(await label(page, 'norm-plot'), /Gradient norm, now \d/);
  await side.locator('.u-over').first().waitFor();
  const ratios = side.getByTestId('ratios').getByRole('row');
  await until(async () => (await ratios.count()) === 6, 'a row for each parameter');
  assert.match(await ratios.first().textContent(), /healthy|large|slow/);
  await says(side.getByTestId('held-out'), /accuracy/).catch(() => assert.fail('no numbers of examples held back'));
  await side.getByTestId('log-scale').check();
  await side.getByTestId('smoothing').fill('0.9');
  await trainsOn(page);
  await page.shot('training');
  page.quiet();
});

test('the picture of the plane changes as the model learns', async () => {
  const page = await training('moons');
  await notice(page, /Training is done: 300 steps/);
  const plane = page.getByTestId('boundary');
  await plane.waitFor();
  const drawn = () => plane.evaluate((canvas) => canvas.toDataURL());
  const rested = async () => {
    let picture = await drawn();
    await until(async () => picture === (picture = await drawn()), 'the picture rests');
    return picture;
  };
  const trained = await rested();
  await page.getByTestId('restart').click();
  await until(async () => (await number(page, 'steps')) === 1, 'one step is done');
  await until(async () => (await drawn()) !== trained, 'the picture is that of a new model');
  const first = await rested();
  const loss = await number(page, 'loss');
  await page.getByTestId('train').click();
  await until(async () => (await number(page, 'steps')) >= 300, 'it has trained');
  await until(async () => (await drawn()) !== first, 'the picture changed');
  assert.ok((await number(page, 'loss')) < loss / 2, 'and the loss has fallen');
  await page.shot('boundary');
  page.quiet();
});

test('digits are told, better with every step', async () => {
  const page = await training('digits_mlp');
  const digits = page.getByTestId('digits').getByRole('listitem');
  await until(async () => (await digits.count()) === 24, 'two dozen images');
  const right = async () => (await digits.evaluateAll((list) => list.map((e) => e.getAttribute('aria-label')))).filter((words) => /^\d, right, \d+\s?% sure/.test(words)).length;
  await until(async () => (await right()) >= 18, 'most are told right', 90_000);
  assert.ok(await number(page, 'loss') < 1.5);
  await page.shot('digits');
  page.quiet();
});

test('a curve that is fitted, tokens that are told, images that are drawn again', async () => {
  const page = await open({ hash: link(example('models/linear_regression')) });
  await panel(page, 'training');
  for (const [name, testid] of [['embedding', 'sequences'], ['autoencoder', 'redrawn'], ['linear_regression', 'curve']]) {
    await panel(page, 'gallery');
    await page.getByTestId(`model-${name}`).click();
    await page.getByTestId(testid).waitFor();
  }
  page.quiet();
});

test('pauses, inspects in the middle, trains on from there', async () => {
  const page = await open();
  await trainsOn(page);
  await inspect(page);
  const steps = await number(page, 'steps');
  assert.ok(steps > 1);
  await page.keyboard.press('t');
  await until(async () => (await number(page, 'steps')) > steps, 'it trains on');
  await page.keyboard.press('i');
  await says(page.getByTestId('now'), /^0\//);
  page.quiet();
});

test('slowly: so many steps a second', async () => {
  const page = await open();
  const side = await panel(page, 'training');
  await side.getByTestId('pace').fill('0');
  await says(side.locator('.slider-value'), /1 step a second/);
  const first = await number(page, 'steps');
  await until(async () => (await number(page, 'steps')) > first, 'a step');
  assert.ok((await number(page, 'steps')) < first + 100, 'not hundreds of them');
  page.quiet();
});
