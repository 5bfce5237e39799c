// worker.ts - the worker: opens the engine it is sent and answers requests, one after the other. When the engine cannot be opened, and after a trap
// (its memory cannot be trusted then), the worker says so and ends.
import { failureOf, Host } from './host.ts';
import { inNode, ofNode } from './loader.ts';
import { transfers, type Call, type FromWorker, type Init, type ToWorker } from './messages.ts';
import { openThreads } from './threads.ts';
import { Wasm } from './wasm.ts';

interface Port { post(m: FromWorker, move: ArrayBuffer[]): void; listen(f: (m: ToWorker) => void): void; close(): void }

/** The engine; null when it cannot be opened: it does not compile here, it needs what is not there, or there is no memory. */
async function open(port: Port, { module, full, generation, threads, thread }: Init['init']): Promise<Host | null> {
  try {
    const host = new Host(threads > 1 ? await openThreads(module, threads, thread) : await Wasm.open(module), full, generation, threads);
    port.post({ ready: true }, []);
    return host;
  } catch (e) {
    port.post({ unready: { kind: 'load', message: `The engine could not be started: ${failureOf(e).message}` } }, []);
    port.close();
    return null;
  }
}

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
      if ('init' in m) host = await open(port, m.init);
      else if (host) await answer(host, port, m);
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
