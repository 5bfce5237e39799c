// lineage.ts - ancestors and descendants in the graph of a trace.
import type { Trace } from '@engine/protocol';
import type { Ref } from './state';

export type Direction = 'up' | 'down' | 'both';

/** What is related to `of`: 1 for each node and tensor that is (its own included). */
export interface Lineage { of: Ref; direction: Direction; nodes: Uint8Array; tensors: Uint8Array }

interface Consumers { first: Int32Array; nodes: Int32Array }
const cache = new WeakMap<Trace, Consumers>();

/** For each tensor the nodes that read it: nodes[first[t] .. first[t+1]). */
export function consumersOf(trace: Trace): Consumers {
  const known = cache.get(trace);
  if (known) return known;
  const first = new Int32Array(trace.tensors.length + 1);
  const each = (f: (tensor: number, node: number) => void): void => trace.nodes.forEach((node, i) => {
    for (let k = node.input; k < node.input + node.nIn; k++) if (trace.inputs[k]!.tensor >= 0) f(trace.inputs[k]!.tensor, i);
  });
  each((tensor) => { first[tensor + 1]!++; });
  for (let t = 0; t < trace.tensors.length; t++) first[t + 1]! += first[t]!;
  const next = first.slice();
  const nodes = new Int32Array(first[trace.tensors.length]!);
  each((tensor, node) => { nodes[next[tensor]!++] = node; });
  const consumers = { first, nodes };
  cache.set(trace, consumers);
  return consumers;
}

/** Nodes and tensors that `ref` itself stands for. */
function begin(trace: Trace, ref: Ref): { nodes: number[]; tensors: number[] } {
  if (ref.kind === 'tensor') return { nodes: [], tensors: [ref.id] };
  const span = ref.kind === 'node' ? [ref.id, ref.id + 1] : [trace.groups[ref.id]!.first, trace.groups[ref.id]!.last];
  return { nodes: Array.from({ length: span[1]! - span[0]! }, (_, i) => span[0]! + i), tensors: [] };
}

function climb(trace: Trace, start: ReturnType<typeof begin>, found: Lineage): void {
  const nodes = [...start.nodes];
  const visit = (tensor: number): void => {
    if (tensor < 0) return;
    found.tensors[tensor] = 1;
    const { node } = trace.tensors[tensor]!;
    if (node >= 0 && !found.nodes[node]) { found.nodes[node] = 1; nodes.push(node); }
  };
  start.nodes.forEach((n) => { found.nodes[n] = 1; });
  start.tensors.forEach(visit);
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    const { input, nIn } = trace.nodes[node]!;
    for (let k = input; k < input + nIn; k++) visit(trace.inputs[k]!.tensor);
  }
}

function descend(trace: Trace, start: ReturnType<typeof begin>, found: Lineage): void {
  const { first, nodes: readers } = consumersOf(trace);
  const nodes = [...start.nodes];
  const seen = new Uint8Array(trace.nodes.length);
  nodes.forEach((n) => { seen[n] = 1; });
  const read = (tensor: number): void => {
    found.tensors[tensor] = 1;
    for (let i = first[tensor]!; i < first[tensor + 1]!; i++) {
      const reader = readers[i]!;
      if (!seen[reader]) { seen[reader] = 1; nodes.push(reader); }
    }
  };
  start.tensors.forEach(read);
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    found.nodes[node] = 1;
    const { firstOut, nOut } = trace.nodes[node]!;
    for (let t = firstOut; t < firstOut + nOut; t++) read(t);
  }
}

export function lineageOf(trace: Trace, of: Ref, direction: Direction): Lineage {
  const found: Lineage = { of, direction, nodes: new Uint8Array(trace.nodes.length), tensors: new Uint8Array(trace.tensors.length) };
  const start = begin(trace, of);
  if (direction !== 'down') climb(trace, start, found);
  if (direction !== 'up') descend(trace, start, found);
  return found;
}
