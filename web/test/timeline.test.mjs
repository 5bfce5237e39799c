// timeline.test.mjs - one training step, event by event: moved by buttons, keys, hand and by itself; several steps, and what changed between them.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { example, find, finish, inspect, leave, link, number, open, panel, says, until } from './browser.mjs';

after(finish);
afterEach(leave);

const inspecting = () => open({ hash: link(example('models/moons'), { step: 3, time: 0 }) });
const now = (page) => page.getByTestId('now').textContent();
/** Where the timeline stands: [event, events]. */
const place = async (page) => (await now(page)).match(/^(\d+)\/(\d+)/).slice(1).map(Number);
const isAt = (page, event) => until(async () => (await place(page))[0] === event, `the timeline is at event ${event}`);

test('inspect stops training before the first event of a step', async () => {
  const page = await open();
  await inspect(page);
  const steps = await number(page, 'steps');
  assert.match(await now(page), /Before the step/);
  assert.ok((await place(page))[1] > 20);
  await page.getByTestId('forward').click();
  await isAt(page, 1);
  assert.equal(await number(page, 'steps'), steps, 'nothing trains meanwhile');
  page.quiet();
});

test('the phases come in order, each event in words', async () => {
  const page = await inspecting();
  const [, end] = await place(page);
  const seen = [];
  for (let i = 1; i <= end; i++) {
    await page.getByTestId('forward').click();
    await isAt(page, i);
    seen.push(await now(page));
  }
  const phase = (text) => /forward|backward|update/.exec(text)[0];
  const turns = seen.filter((text, i) => i === 0 || phase(text) !== phase(seen[i - 1])).map(phase);
  assert.deepEqual(turns, ['forward', 'backward', 'update']);
  assert.ok(seen.some((text) => /= matmul\(x, W1\)|matmul\(x, W1\)/.test(text)), seen.join('\n'));
  assert.ok(seen.some((text) => /starts at loss: its gradient is 1/.test(text)));
  assert.ok(seen.some((text) => /the gradient of W2 is complete/.test(text)));
  assert.match(seen.at(-1), /the optimizer changes the parameters/);
  assert.ok(await page.getByTestId('forward').isDisabled());
  page.quiet();
});

test('back, to the ends, by buttons and by keys', async () => {
  const page = await inspecting();
  const [, end] = await place(page);
  await page.getByTestId('to-end').click();
  await isAt(page, end);
  await page.getByTestId('back').click();
  await isAt(page, end - 1);
  await page.getByTestId('to-start').click();
  await isAt(page, 0);
  const slider = page.getByTestId('scrubber');
  await slider.focus();
  for (const [key, to] of [['ArrowRight', 1], ['.', 2], ['ArrowLeft', 1], ['PageDown', 11], [',', 10], ['PageUp', 0], ['End', end], ['Home', 0]]) {
    await page.keyboard.press(key);
    await isAt(page, to);
    assert.equal(Number(await slider.getAttribute('aria-valuenow')), to);
  }
  assert.match(await slider.getAttribute('aria-valuetext'), /before the first/);
  page.quiet();
});

test('plays by itself to the end, pauses, begins again', async () => {
  const page = await inspecting();
  const [, end] = await place(page);
  await page.getByTestId('speed').fill('9');
  await page.getByTestId('play').click();
  await isAt(page, end);
  await page.getByTestId('speed').fill('0');
  await page.keyboard.press(' ');
  await until(async () => (await place(page))[0] < end, 'it begins again');
  await page.getByTestId('play').click();
  await page.getByRole('button', { name: 'Play the step' }).waitFor();
  page.quiet();
});

test('the track is dragged', async () => {
  const page = await inspecting();
  const [, end] = await place(page);
  const box = await page.getByTestId('scrubber').boundingBox();
  const y = box.y + box.height * 0.6;
  await page.mouse.move(box.x + 12, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, y, { steps: 8 });
  await until(async () => Math.abs((await place(page))[0] - end / 2) <= 1, 'the middle of the step');
  await page.mouse.move(box.x + box.width - 2, y, { steps: 8 });
  await page.mouse.up();
  await isAt(page, end);
  await page.mouse.move(box.x + box.width / 4, y);
  await says(page.locator('.scrub-tip'), /forward .*(s|ms)$/);
  await page.shot('timeline');
  page.quiet();
});

test('values and gradients fill in as their events come', async () => {
  const page = await inspecting();
  const [, end] = await place(page);
  await find(page, 'relu');
  const tensor = await panel(page, 'inspector');
  await says(tensor.locator('figcaption'), /value: later in this step/);
  const before = await page.getByTestId('graph').screenshot();
  for (let i = 0; i < end && /value: later/.test((await tensor.locator('figcaption').allTextContents()).join()); i++) await page.keyboard.press('.');
  const captions = (await tensor.locator('figcaption').allTextContents()).join();
  assert.doesNotMatch(captions, /value: later/);
  assert.match(captions, /gradient: later/);
  assert.match(await now(page), /relu/);
  await page.getByTestId('to-end').click();
  await until(async () => !/later/.test((await tensor.locator('figcaption').allTextContents()).join()), 'everything has happened');
  assert.ok(!(await page.getByTestId('graph').screenshot()).equals(before), 'the graph is filled in too');
  page.quiet();
});

test('the next steps: recorded, gone back to, compared', async () => {
  const page = await inspecting();
  await page.getByTestId('to-end').click();
  for (const step of [4, 5]) {
    await page.getByTestId('inspect').click();
    await says(page.locator('.frame-step'), new RegExp(`step ${step}$`));
  }
  const [at, end] = await place(page);
  assert.equal(at, end, 'the same moment of the next step');
  await page.getByTestId('frame-previous').click();
  await says(page.locator('.frame-step'), /step 4$/);
  await page.getByTestId('frame-next').click();
  await says(page.locator('.frame-step'), /step 5$/);
  await page.getByTestId('frame-slider').fill('0');
  await says(page.locator('.frame-step'), /step 3$/);
  await page.getByTestId('frame-next').click();
  await says(page.locator('.frame-step'), /step 4$/);

  await page.getByTestId('compare').click();
  const changes = page.getByTestId('changes');
  await says(changes, /step 3 to 4/);
  const text = await says(changes, /\d %/);
  assert.match(text, /W1|W2|b1|b2/);
  await page.shot('compare');
  await changes.locator('button.row').first().click();
  await page.getByRole('group', { name: 'Selection' }).waitFor();
  await page.keyboard.press('c');
  await changes.waitFor({ state: 'detached' });
  page.quiet();
});
