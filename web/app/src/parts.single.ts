// parts.single.ts - the engine's parts inside the page, for the build that is one file: no request is made for them.
//
// The worker's script is a data: address: a page from a disk may start no module worker from a blob: one.
import full from '@wasm/ebb-engine-full.wasm?url&inline';
import lean from '@wasm/ebb-engine.wasm?url&inline';
import code from 'virtual:engine-worker';

export { full, lean };
/** A page from a disk cannot share memory with threads. */
export const thread: string | undefined = undefined;
export const worker = (): Worker => new Worker(`data:text/javascript;charset=utf-8,${encodeURIComponent(code)}`, { type: 'module' });
