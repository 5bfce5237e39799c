// access.test.mjs - for everyone: axe-core on every main state in light, dark and forced colours; the keyboard alone; no motion; a phone; one file.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { example, finish, inspect, leave, link, number, open, openFile, panel, picture, ROOT, says, trainsOn, until } from './browser.mjs';

after(finish);
afterEach(leave);

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const inspecting = (more) => open({ hash: link(example('models/xor'), { step: 2, time: 8 }), ...more });
const focused = (page) => page.evaluate(() => { const e = document.activeElement; return e === document.body ? 'the page' : e.dataset.testid ?? e.dataset.tab ?? e.getAttribute('aria-label') ?? e.textContent.trim(); });

/** Fails where axe-core finds something serious. */
async function check(page, state) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
    return violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
      .map((v) => `${v.id} (${v.impact}): ${v.help}\n${v.nodes.slice(0, 4).map((n) => `    ${n.html.slice(0, 160)}\n      ${n.any.map((a) => a.message).join('; ').slice(0, 200)}`).join('\n')}`);
  });
  assert.deepEqual(found, [], `${state}:\n${found.join('\n')}`);
}

for (const [name, media] of [['light', { colorScheme: 'light' }], ['dark', { colorScheme: 'dark' }], ['forced', { colorScheme: 'dark', forcedColors: 'active' }]]) {
  test(`axe-core finds nothing serious: ${name} colours`, async () => {
    const page = await inspecting({ ...media, bypassCSP: true, reducedMotion: 'reduce' });
    await page.getByTestId('flow').click();
    for (const id of ['training', 'findings', 'gallery', 'editor', 'outline', 'plugins']) {
      await panel(page, id);
      if (id === 'editor') await page.getByTestId('editor-text').waitFor();
      await check(page, id);
      await page.shot(`${name}-${id}`);
    }
    await page.keyboard.press(']');
    for (const id of ['inspector', 'formula']) {
      await panel(page, id);
      if (id === 'formula') await page.getByTestId('worked').or(page.getByTestId('terms')).first().waitFor();
      await check(page, id);
      await page.shot(`${name}-${id}`);
    }
    for (const [button, dialog] of [['help', 'help-dialog'], ['share', 'share-dialog'], ['search', 'search-dialog']]) {
      await page.getByTestId(button).click();
      await page.getByTestId(dialog).waitFor();
      await check(page, dialog);
      await page.shot(`${name}-${dialog}`);
      await page.keyboard.press('Escape');
      await page.getByTestId(dialog).waitFor({ state: 'detached' });
    }
    await panel(page, 'gallery');
    await page.getByTestId('mistake-dead_relu').click();
    await page.getByTestId('mistake-dialog').getByTestId('finding').first().waitFor();
    await check(page, 'mistake');
    await page.shot(`${name}-mistake`);
    page.quiet();
  });
}

test('the keyboard reaches everything in order, and says where it is', async () => {
  const page = await inspecting();
  await panel(page, 'outline');
  await page.getByTestId('train').focus();
  const order = ['train'];
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press('Tab');
    const at = await focused(page);
    if (at === order[0]) break;
    order.push(at);
    const seen = await page.evaluate(() => {
      const at = document.activeElement, row = at.getAttribute('aria-activedescendant');
      if (at === document.body) return true;
      const e = row ? document.getElementById(row) : at;
      const style = getComputedStyle(e), own = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
      return own || style.boxShadow !== 'none' || style.backgroundImage !== 'none' || e.matches('input[type="range"], input[type="checkbox"]');
    });
    assert.ok(seen, `one sees that ${at} has the focus`);
  }
  const places = ['train', 'share', 'outline', 'graph', 'search', 'tab-training', 'to-start', 'scrubber'].map((name) => [name, order.indexOf(name)]);
  for (const [name, place] of places) assert.ok(place >= 0, `${name} is reached: ${order.join(', ')}`);
  assert.ok(order.indexOf('train') < order.indexOf('graph') && order.indexOf('graph') < order.indexOf('scrubber'), order.join(', '));
  page.quiet();
});

test('the tree: arrows walk it, Enter selects, values are said in words', async () => {
  const page = await open({ hash: link(example('models/residual_mlp'), { step: 2, time: 100_000 }) });
  await panel(page, 'outline');
  const tree = page.getByTestId('outline');
  await tree.focus();
  const active = () => tree.evaluate((e) => document.getElementById(e.getAttribute('aria-activedescendant')).textContent);
  const first = await active();
  await page.keyboard.press('ArrowDown');
  assert.notEqual(await active(), first);
  await page.keyboard.press('End');
  const last = await active();
  await page.keyboard.press('Home');
  assert.equal(await active(), first);
  const all = await tree.getByRole('treeitem').allTextContents();
  assert.ok(all.some((text) => /mean -?\u2212?[\d.e-]+, std/.test(text)), all.join('\n'));
  assert.ok(all.some((text) => /gradient: /.test(text)), 'gradients too');
  assert.notEqual(last, first);
  const group = tree.locator('[role="treeitem"][aria-expanded]').first();
  const id = await group.getAttribute('id');
  await page.keyboard.press('Home');
  for (let i = 0; i < 60 && (await tree.getAttribute('aria-activedescendant')) !== id; i++) await page.keyboard.press('ArrowDown');
  const was = await page.locator(`#${id}`).getAttribute('aria-expanded');
  await page.keyboard.press(was === 'true' ? 'ArrowLeft' : 'ArrowRight');
  await until(async () => (await page.locator(`#${id}`).getAttribute('aria-expanded')) !== was, 'the group opens or closes');
  await page.keyboard.press('Enter');
  await page.getByRole('group', { name: 'Selection' }).waitFor();
  await page.shot('outline');
  page.quiet();
});

test('dialogs keep the focus, give it back, and close with Escape', async () => {
  const page = await inspecting();
  for (const [button, dialog] of [['share', 'share-dialog'], ['help', 'help-dialog'], ['search', 'search-dialog']]) {
    await page.getByTestId(button).focus();
    await page.keyboard.press('Enter');
    await page.getByTestId(dialog).waitFor();
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab');
      assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest('dialog') !== null), `${dialog} keeps the focus`);
    }
    await page.keyboard.press('Escape');
    await page.getByTestId(dialog).waitFor({ state: 'detached' });
    await until(async () => (await focused(page)) === button, 'the focus is where it was');
  }
  page.quiet();
});

test('a panel is chosen by arrows; a model by keys alone', async () => {
  const page = await open();
  await page.getByTestId('open-gallery').focus();
  await page.keyboard.press('Enter');
  const model = page.getByTestId('model-xor');
  await model.focus();
  await page.keyboard.press('Enter');
  await says(page.locator('.model-name'), /^xor$/);
  await page.getByTestId('tab-gallery').focus();
  await page.keyboard.press('ArrowRight');
  await page.getByTestId('panel-editor').waitFor();
  assert.equal(await focused(page), 'tab-editor');
  page.quiet();
});

test('without motion: the camera is there at once', async () => {
  const page = await inspecting({ reducedMotion: 'reduce' });
  const moving = await page.evaluate(() => document.getAnimations().filter((a) => a.playState === 'running').length);
  assert.equal(moving, 0);
  await page.keyboard.press('+');
  await picture(page.getByTestId('graph'));
  page.quiet();
});

test('the theme is chosen and kept', async () => {
  const page = await open({ colorScheme: 'light' });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.getByTestId('theme').click();
  await page.getByTestId('theme').click();
  await page.getByRole('button', { name: 'Colours: dark' }).waitFor();
  assert.notEqual(await paper(), light);
  await page.reload();
  await page.getByRole('button', { name: 'Colours: dark' }).waitFor();
  page.quiet();
});

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

test('a phone: panels are sheets, the timeline follows the finger, nothing is wider than the screen', async () => {
  const page = await open(PHONE);
  const fits = async (state) => assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390, `${state} is wider than the screen`);
  await fits('training');
  await inspect(page);
  await fits('inspecting');
  await page.shot('phone-inspect');
  const track = await page.getByTestId('scrubber').boundingBox();
  await page.touchscreen.tap(track.x + track.width / 2, track.y + track.height * 0.6);
  await until(async () => Number(await page.getByTestId('scrubber').getAttribute('aria-valuenow')) > 5, 'the middle of the step');
  for (const id of ['gallery', 'editor', 'outline', 'plugins', 'training', 'inspector', 'formula', 'findings']) {
    await page.getByTestId(`open-${id}`).tap();
    await page.getByTestId(`panel-${id}`).waitFor();
    await fits(id);
    await page.shot(`phone-${id}`);
    assert.equal(await page.locator('aside.side').count(), 1, 'one sheet at a time');
    await page.getByTestId(`open-${id}`).tap();
    await page.getByTestId(`panel-${id}`).waitFor({ state: 'detached' });
  }
  page.quiet();
});

test('a phone: axe-core finds nothing serious', async () => {
  const page = await inspecting({ ...PHONE, bypassCSP: true });
  await check(page, 'the graph');
  await page.getByTestId('open-inspector').tap();
  await page.getByTestId('panel-inspector').waitFor();
  await check(page, 'a sheet');
  page.quiet();
});

test('the page as one file, opened from a disk', async () => {
  const file = process.env.EBB_SINGLE ?? join(ROOT, 'build/web/app-single/index.html');
  assert.ok(existsSync(file), `${file} is not there: ./dev web --single-file makes it`);
  const page = await openFile(pathToFileURL(file).href);
  await trainsOn(page);
  await inspect(page);
  assert.ok((await number(page, 'steps')) > 1);
  await panel(page, 'formula');
  await page.keyboard.press(']');
  await page.getByTestId('formula').waitFor();
  await page.shot('single-file');
  page.quiet();
});
