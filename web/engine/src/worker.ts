// worker.ts - the worker: opens the engine it is sent and answers requests, one after the other. After a trap the engine's memory cannot be trusted:
// the worker says so and ends.
import { failureOf, Host } from './host.ts';
import { inNode, ofNode } from './loader.ts';
import { transfers, type Call, type FromWorker, type ToWorker } from './messages.ts';
import { openThreads } from './threads.ts';
import { Wasm } from './wasm.ts';

interface Port { post(m: FromWorker, move: ArrayBuffer[]): void; listen(f: (m: ToWorker) => void): void; close(): void }

async function answer(host: Host, port: Port, { id, name, args }: Call): Promise<void> {
  try {
    const handler = (host as unknown as Record<string, ((args: unknown, progress: (p: unknown) => void) => unknown) | undefined>)[name];
    if (typeof handler !== 'function') throw new Error(`the engine has no request ${name}`);
    const result = await handler(args, (progress) => port.post({ id, progress }, []));
    port.post({ id, result }, transfers(result));
  } catch (e) {
    const failure = failureOf(e), over = failure.kind === 'trap';
    port.post({ id, failure, over, certificate: (e as { certificate?: unknown }).certificate }, []);
    if (over) port.close();
  }
}

function serve(port: Port): void {
  let host: Host | null = null, queue = Promise.resolve();
  port.listen((m) => {
    queue = queue.then(async () => {
      if ('init' in m) {
        const { module, full, generation, threads } = m.init;
        host = new Host(threads > 1 ? await openThreads(module, threads) : await Wasm.open(module), full, generation, threads);
        port.post({ ready: true }, []);
      } else if (host) await answer(host, port, m);
    });
  });
}

if (inNode) {
  const port = ofNode<typeof import('node:worker_threads')>('node:worker_threads').parentPort!;
  serve({ post: (m, move) => port.postMessage(m, move), listen: (f) => { port.on('message', f); }, close: () => port.close() });
} else {
  const self = globalThis as unknown as Omit<Worker, 'terminate'> & { close(): void };
  serve({ post: (m, move) => self.postMessage(m, move), listen: (f) => { self.onmessage = (e: MessageEvent<ToWorker>) => f(e.data); }, close: () => self.close() });
}
