// parts.files.ts - the engine's parts as files beside the page, fetched when they are needed.
import full from '@wasm/ebb-engine-full.wasm?url';
import lean from '@wasm/ebb-engine.wasm?url';

export { full, lean };
export const worker = (): Worker => new Worker(new URL('../../engine/src/worker.ts', import.meta.url), { type: 'module' });
