// parts.files.ts - the engine's parts as files beside the page, fetched when they are needed.
import full from '@wasm/ebb-engine-full.wasm?url';
import lean from '@wasm/ebb-engine.wasm?url';
import threaded from '@wasm/ebb-engine-threads.wasm?url';
import script from '../../engine/src/thread.ts?worker&url';

export { full, lean, threaded };
export const thread: string | undefined = new URL(script, import.meta.url).href;
export const worker = (): Worker => new Worker(new URL('../../engine/src/worker.ts', import.meta.url), { type: 'module' });
