// moments.ts - when everything of a recorded step happens: for each node, tensor and operand the event that brings it.
//
// Invariant: something has happened at time t exactly when its moment is < t; NEVER is later than every time. So moving the timeline needs no
// state of its own and no scan: whoever draws compares one number a thing.
import type { Trace } from '@engine/protocol';

export const NEVER = 0x7fffffff;

export type Phase = 'forward' | 'backward' | 'optim';

export interface Moments {
  /** A node's op has run. */
  forward: Int32Array;
  /** The first and the last of a node's rules has given its gradient. */
  ruleFirst: Int32Array; ruleLast: Int32Array;
  /** A tensor has its value (leaves: -1, always), its gradient. */
  value: Int32Array; grad: Int32Array;
  /** An operand's rule has given its part. */
  part: Int32Array;
  /** The first event of backward and the optimizer's step; NEVER when there is none. */
  backward: number; optim: number;
  length: number;
}

const cache = new WeakMap<Trace, Moments>();

export function momentsOf(trace: Trace): Moments {
  const known = cache.get(trace);
  if (known) return known;
  const { nodes, tensors, inputs, events } = trace;
  const never = (n: number): Int32Array => new Int32Array(n).fill(NEVER);
  const m: Moments = {
    forward: never(nodes.length), ruleFirst: never(nodes.length), ruleLast: never(nodes.length),
    value: never(tensors.length), grad: never(tensors.length), part: never(inputs.length),
    backward: NEVER, optim: NEVER, length: events.length,
  };
  tensors.forEach((tensor, i) => { if (tensor.node < 0) m.value[i] = -1; });
  const outputs = (at: Int32Array, node: number, event: number, only: (t: number) => boolean): void => {
    const { firstOut, nOut } = nodes[node]!;
    for (let t = firstOut; t < firstOut + nOut; t++) if (only(t)) at[t] = Math.min(at[t]!, event);
  };
  const hasGrad = (t: number): boolean => tensors[t]!.grad >= 0;
  events.forEach((event, i) => {
    switch (event.kind) {
      case 'forward':
        m.forward[event.node] = i;
        outputs(m.value, event.node, i, () => true);
        break;
      case 'backward':
        m.backward = Math.min(m.backward, i);
        if (event.tensor >= 0) m.grad[event.tensor] = i;
        break;
      case 'rule':
        if (m.ruleFirst[event.node] === NEVER) {
          m.ruleFirst[event.node] = i;
          outputs(m.grad, event.node, i, hasGrad);
        }
        m.ruleLast[event.node] = i;
        if (event.input >= 0) m.part[event.input] = i;
        break;
      case 'leaf':
        if (event.tensor >= 0) m.grad[event.tensor] = i;
        break;
      case 'step':
        m.optim = Math.min(m.optim, i);
        break;
    }
  });
  cache.set(trace, m);
  return m;
}

/** Which phase event `i` belongs to. */
export const phaseAt = (m: Moments, i: number): Phase => (i >= m.optim ? 'optim' : i >= m.backward ? 'backward' : 'forward');
