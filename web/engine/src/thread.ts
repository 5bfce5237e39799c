// thread.ts - one more thread of the engine: an instance of its module over the shared memory, in the engine's loop from here on.
import { inNode, ofNode } from './loader.ts';
import type { ThreadStart } from './threads.ts';

async function run({ module, memory, stack }: ThreadStart): Promise<void> {
  const nothing = (): number => 0; // threads neither grow the memory nor ask for the time
  const { exports } = await WebAssembly.instantiate(module, {
    env: { memory, emscripten_notify_memory_growth: nothing }, wasi_snapshot_preview1: { clock_time_get: nothing },
  });
  const x = exports as unknown as { __stack_pointer: WebAssembly.Global; ebb_worker(): void };
  x.__stack_pointer.value = stack;
  x.ebb_worker();
}

if (inNode) {
  void run(ofNode<typeof import('node:worker_threads')>('node:worker_threads').workerData as ThreadStart);
} else {
  globalThis.onmessage = (e: MessageEvent<ThreadStart>) => void run(e.data);
}
