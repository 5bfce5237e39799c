// permalink.test.ts - links come back as they were sent; what is hostile or broken is refused with a reason.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLink, encodeLink, LinkError, MOST_TEXT } from '../src/permalink';

const refused = (hash: string, why: RegExp): Promise<void> =>
  assert.rejects(decodeLink(hash), (e: unknown) => e instanceof LinkError && why.test(e.message));
/** A hash of any JSON, as somebody else might make it. */
const forged = (value: unknown): Promise<string> => encodeLink(value as Parameters<typeof encodeLink>[0]);

test('a link comes back as it was', async () => {
  const link = { name: 'spirals', text: 'data spirals\n# π ≤ 4, "quotes" and </script>\n', step: 12, time: 34, camera: { x: 1.5, y: -2, z: 0.75 }, flow: true, right: false };
  const hash = await encodeLink(link);
  assert.match(hash, /^#ebb1=[A-Za-z0-9_-]+$/);
  assert.deepEqual(await decodeLink(hash), link);
});

test('no hash is no link', async () => {
  assert.equal(await decodeLink(''), null);
  assert.equal(await decodeLink('#'), null);
});

test('what is not a link is refused', async () => {
  await refused('#<script>alert(1)</script>', /not one of this page/);
  await refused('#ebb1=<img src=x onerror=alert(1)>', /characters/);
  await refused('#ebb1=AAAAAAA', /damaged|cut short/);
  await refused(`#ebb1=${'A'.repeat(70_000)}`, /longer than 64 KB/);
  const whole = await encodeLink({ name: 'a', text: 'x'.repeat(5000) });
  await refused(whole.slice(0, -6), /damaged|cut short/);
});

test('a text that inflates without end is stopped', async () => {
  await refused(await forged({ name: 'a', text: 'x'.repeat(2 * MOST_TEXT) }), /larger than 256 KB/);
});

test('fields of another kind are left out or refused', async () => {
  await refused(await forged([1, 2]), /no model/);
  await refused(await forged({ name: 'a', text: 5 }), /no model/);
  await refused(await forged({ name: 'a', text: '  \n' }), /empty/);
  const link = await decodeLink(await forged({ name: '<b>x</b>', text: 'a', step: -3, time: 'now', camera: { x: 1e300, y: 0, z: 1 }, flow: 'yes', __proto__: { right: true } }));
  assert.deepEqual(link, { name: 'bxb', text: 'a' });
});
