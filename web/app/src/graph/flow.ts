// flow.ts - the gradients that flow back along the operands of a trace: sign and width of each, read from the statistics once.
import type { Trace } from '@engine/protocol';
import { flowSign, type FlowSign, flowWidth } from '../scale';

export interface Flow { sign: FlowSign; width: number; norm: number; mean: number }

const cache = new WeakMap<Trace, Map<number, Flow | null>>();

function flowOf(trace: Trace, index: number): Flow | null {
  let known = cache.get(trace);
  if (!known) cache.set(trace, (known = new Map()));
  let flow = known.get(index);
  if (flow !== undefined) return flow;
  const s = index >= 0 ? trace.stats(index) : null;
  flow = s && { sign: flowSign(s.norm, s.mean, s.n, s.nNan + s.nInf), width: flowWidth(s.norm), norm: s.norm, mean: s.mean };
  known.set(index, flow);
  return flow;
}

/** Of a wire: the operand's part, or (several operands in a closed box) the tensor's gradient; null: no gradient flows. */
export const wireFlow = (trace: Trace, wire: { tensor: number; input: number }): Flow | null =>
  flowOf(trace, wire.input >= 0 ? trace.inputs[wire.input]!.grad : trace.tensors[wire.tensor]?.grad ?? -1);
