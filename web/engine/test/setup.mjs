// setup.mjs - what the tests share: the package that was built, plugins, the generator of the standard workloads.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const built = path.join(root, 'build/web/engine');
export const ebb = await import(path.join(built, 'ebb.js'));
export const model = await import(path.join(built, 'ebb-model.js'));
export const page = await import(path.join(built, 'ebb-page.js'));

export function buffer(file) {
  const b = readFileSync(file);
  return b.buffer.slice(b.byteOffset, b.byteOffset + b.length);
}
/** The module of a plugin, built with the engine. */
export const plugin = (name) => buffer(path.join(root, `build/engine-full/plugins/${name}.wasm`));

/** Numbers in [0, 1) as the standard workloads draw them. */
export function generator(seed) {
  let s = seed >>> 0;
  const next = () => ((s = (Math.imul(s, 1664525) + 1013904223) >>> 0) >>> 8);
  return { uniform: () => next() / 2 ** 24, below: (n) => next() % n };
}
export const array = (n, f) => Float32Array.from({ length: n }, f);

/** A network of linear layers with the workloads' weights; relu between them. -> x => y */
export function network(e, base, sizes) {
  const layers = sizes.slice(1).map((n, i) => {
    const k = sizes[i], g = generator(base + 10 + i);
    return [e.param(`W${i}`, [n, k], array(n * k, () => ((g.uniform() - 0.5) * 2) / Math.sqrt(k))), e.param(`b${i}`, [n])];
  });
  return (x) => layers.reduce((h, [W, b], i) => (i + 1 < layers.length ? e.relu(e.linear(h, W, b)) : e.linear(h, W, b)), x);
}
