// threads.ts - the engine on several threads: workers with an instance each of the same module over one shared memory, each with a stack of its own.
// They stay in the engine's ebb_worker (core/parallel.c) until they are ended with the worker that holds the engine.
import { inNode, ofNode } from './loader.ts';
import { Wasm } from './wasm.ts';

const STACK = 1 << 20;
const INITIAL = 512, MOST = 32768; // pages of 64 KB; what the module is linked with

export interface ThreadStart { module: WebAssembly.Module; memory: WebAssembly.Memory; stack: number }

function startThread(script: URL, start: ThreadStart): void {
  if (!inNode) {
    new Worker(script, { type: 'module' }).postMessage(start);
    return;
  }
  const { Worker: Thread } = ofNode<typeof import('node:worker_threads')>('node:worker_threads');
  new Thread(script, { workerData: start }).unref();
}

/** Opens a module that was built for threads. Only in a worker: a page's own thread must not wait. */
export async function openThreads(module: WebAssembly.Module, threads: number, script?: string): Promise<Wasm> {
  const memory = new WebAssembly.Memory({ initial: INITIAL, maximum: MOST, shared: true });
  const wasm = await Wasm.open(module, memory);
  const url = script ? new URL(script) : new URL(/* @vite-ignore */ './ebb-thread.js', import.meta.url);
  for (let i = 1; i < threads; i++) startThread(url, { module, memory, stack: (wasm.malloc(STACK) + STACK) & ~15 });
  return wasm;
}
