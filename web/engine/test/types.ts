// types.ts - must compile, and where it says so must not: the types as a user meets them (read by types.test.mjs).
import { EbbError, load, type Tensor } from 'ebb';
import { decodeTrace, Model } from 'ebb/model';
import { createEngine, type Certificate, type Trace } from 'ebb/page';

const e = await load({ seed: 1n, wasm: new URL('https://example.org/ebb-engine.wasm') });
const x: Tensor = e.tensor([[1, 2]], [1, 2], 'f32'), W = e.param('W', [4, 2], 'kaiming');
const h = e.relu(e.linear(x, W)), same = x.linear(W, null).relu();
const [values, places] = e.max(h, { dim: 1, keepdim: true });
const parts: Tensor[] = e.split(h, { split_size: 2 });
const loss: Tensor = e.scope(() => e.cross_entropy(same, places, { reduction: 'mean', label_smoothing: 0.1 }));
e.softmax(h, 1).mul(2).add_(1).backward(undefined, { retain: true });
e.reshape(h, [2, -1]).transpose(0, 1);
e.cat([h, values, ...parts], { dim: 0 });
const opt = e.optim('adamw', { lr: 1e-3, weight_decay: 0.01 });
opt.set({ lr: 1e-4 });
const norm: number = e.clipNorm(1), item: number = loss.item();
if (norm > item) throw new EbbError('no');

// @ts-expect-error an attribute that the op does not have
e.softmax(h, { dmi: 1 });
// @ts-expect-error a choice that is none
e.mse_loss(h, h, { reduction: 'most' });
// @ts-expect-error attributes without a default are needed
e.transpose(h);
// @ts-expect-error an op that is not there
e.rleu(h);
// @ts-expect-error a text is no operand
e.add(h, 'one');

const m = new Model(e, 'loss = 1'), info = m.info();
const trains: boolean = info.trains;
const trace: Trace = decodeTrace(new ArrayBuffer(0));
const engine = createEngine({ silence: 1000 });
const c: Certificate = await engine.plugin('p.wasm', new ArrayBuffer(0));
const { file } = await engine.call('record', {});
// @ts-expect-error a request that is not there
await engine.call('recrod', {});
export const used = [trains, trace.nodes.length, c.ok, file.byteLength];
