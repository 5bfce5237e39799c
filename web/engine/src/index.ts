// index.ts - the engine for other people's pages: load(), then tensors, ops, gradients, optimizers.
import { compile } from './loader.ts';
import { Session, type SessionOptions } from './session.ts';
import { Wasm, type Source } from './wasm.ts';

export type { Attrs, AttrInfo } from './attrs.ts';
export { EbbError } from './error.ts';
export type { Ops, TensorOps } from './generated/ops.ts';
export type { OpInfo, Operand } from './ops.ts';
export type { Optimizer } from './optim.ts';
export { Session, type Init, type Memory, type SessionOptions } from './session.ts';
export { Tensor, type DType, type NestedNumbers, type TypedArray, type Values } from './tensor.ts';
export type { Source } from './wasm.ts';

export interface LoadOptions extends SessionOptions {
  /** Where the engine is; without it, ebb-engine.wasm beside this file. */
  wasm?: Source;
}

/** Loads the engine and opens a session. */
export async function load(options: LoadOptions = {}): Promise<Session> {
  const source = options.wasm ?? new URL('./ebb-engine.wasm', import.meta.url);
  const e = new Session(await Wasm.open(await compile(source)), options);
  e.ops.attach();
  return e;
}
