// datasets.ts - data the engine has no generator for: the handwritten digits, fetched and given to an engine before a text first names them.
import type { Engine, Requests } from '@engine/protocol';
import images from '../../../../data/digits-images.idx3-ubyte?url';
import labels from '../../../../data/digits-labels.idx1-ubyte?url';

/** Pixels are 0 .. 16. */
const SCALE = 16;
const NAMES_DIGITS = /^\s*data\s+digits\b/m;

async function read(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw { kind: 'load', message: `The digits could not be fetched: ${response.status} ${response.statusText}` };
  return response.arrayBuffer();
}

/** The engine, given the digits when a text that is loaded or linted names them. */
export function withDatasets(engine: Engine): Engine {
  let given: Promise<unknown> | null = null;
  const plain = engine.call.bind(engine);
  const give = (): Promise<unknown> => {
    given ??= Promise.all([read(images), read(labels)])
      .then(([i, l]) => plain('dataset', { name: 'digits', images: i, labels: l, scale: SCALE }))
      .catch((e: unknown) => {
        given = null; // so that it is tried again
        throw e;
      });
    return given;
  };
  engine.call = async <K extends keyof Requests>(name: K, args: Requests[K]['args'], timeoutMs?: number): Promise<Requests[K]['result']> => {
    if ((name === 'load' || name === 'lint') && NAMES_DIGITS.test((args as Requests['lint']['args']).text)) await give();
    return plain(name, args, timeoutMs);
  };
  return engine;
}
