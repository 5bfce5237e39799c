// permalink.ts - a model and the view of it as the hash of an address, and back: JSON, deflated, in the letters of base64url.
//
// What comes out of an address is a stranger's: its size is bounded before and while it is inflated, every field is checked, and nothing of
// it is ever more than text or a number.

export interface Link {
  name: string;
  text: string;
  /** The training step that was inspected, the event on its timeline. */
  step?: number; time?: number;
  camera?: { x: number; y: number; z: number };
  flow?: boolean; right?: boolean;
}

export const MOST_HASH = 64 * 1024, MOST_TEXT = 256 * 1024, MOST_NAME = 80;
const PREFIX = '#ebb1=';

/** Thrown for a hash that is not a link of ours; the message is for the person at the page. */
export class LinkError extends Error {}

function toBase64Url(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new LinkError('the link has characters that none of ours has');
  try {
    return Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  } catch {
    throw new LinkError('the link is cut short');
  }
}

/** All that the stream gives, or null when it is more than `most` bytes. */
async function collect(stream: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array<ArrayBuffer> | null> {
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let n = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    n += part.value.length;
    if (n > most) {
      await reader.cancel();
      return null;
    }
    parts.push(part.value);
  }
  const all = new Uint8Array(n);
  parts.reduce((at, part) => { all.set(part, at); return at + part.length; }, 0);
  return all;
}

const through = (bytes: Uint8Array<ArrayBuffer>, transform: CompressionStream | DecompressionStream): ReadableStream<Uint8Array> =>
  new Blob([bytes]).stream().pipeThrough(transform) as ReadableStream<Uint8Array>;

export async function encodeLink(link: Link): Promise<string> {
  const packed = await collect(through(new TextEncoder().encode(JSON.stringify(link)), new CompressionStream('deflate-raw')), Infinity);
  return PREFIX + toBase64Url(packed!);
}

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
const finite = (v: unknown, least: number, most: number): number | undefined => (typeof v === 'number' && v >= least && v <= most ? v : undefined);

function check(value: unknown): Link {
  if (!isObject(value) || typeof value.text !== 'string' || typeof value.name !== 'string') throw new LinkError('the link holds no model');
  const { text, camera } = value;
  if (!text.trim()) throw new LinkError('the model in the link is empty');
  const link: Link = { text, name: value.name.replace(/[^\p{L}\p{N} ._()-]/gu, '').slice(0, MOST_NAME) || 'shared model' };
  const step = finite(value.step, 1, 1e6), time = finite(value.time, 0, 1e7);
  if (step !== undefined) link.step = Math.floor(step);
  if (time !== undefined) link.time = Math.floor(time);
  if (isObject(camera)) {
    const x = finite(camera.x, -1e7, 1e7), y = finite(camera.y, -1e7, 1e7), z = finite(camera.z, 0.01, 10);
    if (x !== undefined && y !== undefined && z !== undefined) link.camera = { x, y, z };
  }
  if (typeof value.flow === 'boolean') link.flow = value.flow;
  if (typeof value.right === 'boolean') link.right = value.right;
  return link;
}

/** The link in a hash; null when there is none. A LinkError says what is wrong with it. */
export async function decodeLink(hash: string): Promise<Link | null> {
  if (hash.length < 2) return null;
  if (!hash.startsWith(PREFIX)) throw new LinkError('the link is not one of this page');
  if (hash.length > MOST_HASH) throw new LinkError(`the link is longer than ${MOST_HASH / 1024} KB`);
  const packed = fromBase64Url(hash.slice(PREFIX.length));
  let json: Uint8Array<ArrayBuffer> | null;
  try {
    json = await collect(through(packed, new DecompressionStream('deflate-raw')), MOST_TEXT);
  } catch {
    throw new LinkError('the link is damaged');
  }
  if (!json) throw new LinkError(`the model in the link is larger than ${MOST_TEXT / 1024} KB`);
  try {
    return check(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json)));
  } catch (e) {
    throw e instanceof LinkError ? e : new LinkError('the link is damaged');
  }
}
