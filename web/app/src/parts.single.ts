// parts.single.ts - the engine's parts inside the page, for the build that is one file: no request is made for them.
import full from '@wasm/ebb-engine-full.wasm?url&inline';
import lean from '@wasm/ebb-engine.wasm?url&inline';
import InlineWorker from '../../engine/src/worker.ts?worker&inline';

export { full, lean };
export const worker = (): Worker => new InlineWorker();
