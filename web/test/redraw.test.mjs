// redraw.test.mjs - along the timeline only what changes is drawn again: the picture must be the one that a whole drawing gives.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { finish, inspect, leave, open, until } from './browser.mjs';

after(finish);
afterEach(leave);

/** Keeps the canvas's picture. */
const keep = (page) => page.evaluate(() => {
  const canvas = document.querySelector('[data-testid="graph"]');
  window.kept = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
});

/** Draws all of it, and counts the pixels that differ from those that were kept by more than the rounding of a curve's edge. */
async function differing(page) {
  for (const flow of ['true', 'false']) { // gradients on the edges, and no longer: each draws everything
    await page.keyboard.press('g');
    await page.locator(`[data-testid="flow"][aria-pressed="${flow}"]`).waitFor();
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  }
  return page.evaluate(() => {
    const canvas = document.querySelector('[data-testid="graph"]');
    const now = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let n = 0;
    const seen = (p, i, k) => (k < 3 ? (p[i + k] * p[i + 3]) / 255 : p[i + 3]);
    for (let i = 0; i < now.length; i += 4) if ([0, 1, 2, 3].some((k) => Math.abs(seen(now, i, k) - seen(window.kept, i, k)) > 32)) n++;
    return n;
  });
}

test('a step drawn event by event, on and back, looks like one drawn at once', async () => {
  const page = await open({ reducedMotion: 'reduce' });
  await inspect(page);
  await page.getByTestId('open-all').click();
  const events = Number(await page.getByTestId('scrubber').getAttribute('aria-valuemax'));
  assert.ok(events > 20, `${events} events`);
  for (const [key, end] of [['.', events], [',', 0]]) { // at both ends nothing lies over the drawing
    for (let i = 0; i < events; i++) {
      await page.keyboard.press(key);
      await page.evaluate(() => new Promise(requestAnimationFrame));
    }
    await until(async () => (await page.getByTestId('now').textContent()).startsWith(`${end}/`), `event ${end} is reached`);
    await page.mouse.move(640, 5);
    await keep(page);
    const n = await differing(page);
    assert.equal(n, 0, `${n} pixels differ at event ${end}`);
  }
  await page.shot('redraw');
  page.quiet();
});
