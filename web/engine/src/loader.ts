// loader.ts - gets the engine's bytes, in a page, a worker or node, and compiles them. Nothing is evaluated: 'wasm-unsafe-eval' is all that a
// content security policy must allow.
import type { Source } from './wasm.ts';

/** True under node, where files are read instead of fetched. */
export const inNode = typeof process === 'object' && !!process.versions?.node;

/** A module of node's own, got in a way that bundlers for pages do not follow. */
export function ofNode<T>(name: string): T { return process.getBuiltinModule(name) as T; }

async function fromFile(url: URL): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await ofNode<typeof import('node:fs/promises')>('node:fs/promises').readFile(url));
}

async function fromResponse(r: Response): Promise<WebAssembly.Module> {
  if (!r.ok) throw new Error(`the engine cannot be fetched: ${r.url} answers ${r.status} ${r.statusText}`);
  if (r.headers.get('content-type')?.startsWith('application/wasm')) return WebAssembly.compileStreaming(r);
  return WebAssembly.compile(await r.arrayBuffer());
}

/** The module of any source. A text is a URL; relative ones are taken from the page, in node from the working directory. */
export async function compile(source: Source): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer) return WebAssembly.compile(source);
  if (source instanceof Uint8Array) return WebAssembly.compile(source as Uint8Array<ArrayBuffer>);
  if (typeof source === 'string' || source instanceof URL) {
    const base = inNode ? `file://${process.cwd()}/` : globalThis.location?.href;
    const url = new URL(source, base);
    return url.protocol === 'file:' && inNode ? fromFile(url) : fromResponse(await fetch(url));
  }
  return fromResponse(await source);
}
