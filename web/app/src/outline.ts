// outline.ts - the graph as a tree of groups and nodes, flattened to the rows that are open; parameters stand before the op that reads them first.
import type { Trace } from '@engine/protocol';
import type { Ref } from './state';

export interface Row {
  ref: Ref;
  /** From 1. */
  level: number;
  /** The row among its siblings, from 1, and how many they are. */
  at: number; of: number;
  /** Has children; whether they are shown. */
  parent: boolean; open: boolean;
}

export const keyOf = (ref: Ref): string => `${ref.kind}${ref.id}`;

interface Tree { children: Map<number, Ref[]> }
const cache = new WeakMap<Trace, Tree>();

/** Children of each group in order; of the top under -1. */
function treeOf(trace: Trace): Tree {
  const known = cache.get(trace);
  if (known) return known;
  const children = new Map<number, Ref[]>([[-1, []], ...trace.groups.map((_, g): [number, Ref[]] => [g, []])]);
  const placed = new Uint8Array(trace.groups.length), named = new Uint8Array(trace.tensors.length);
  const place = (group: number): void => {
    if (group < 0 || placed[group]) return;
    placed[group] = 1;
    const { parent } = trace.groups[group]!;
    place(parent);
    children.get(parent)!.push({ kind: 'group', id: group });
  };
  trace.nodes.forEach((node, id) => {
    place(node.group);
    const list = children.get(node.group)!;
    for (let k = node.input; k < node.input + node.nIn; k++) {
      const t = trace.inputs[k]!.tensor;
      if (t < 0 || named[t] || trace.tensors[t]!.node >= 0 || trace.tensors[t]!.kind === 'const') continue;
      named[t] = 1;
      list.push({ kind: 'tensor', id: t });
    }
    list.push({ kind: 'node', id });
  });
  const tree = { children };
  cache.set(trace, tree);
  return tree;
}

/** The rows that show when the groups of `open` (ids) are open. */
export function rowsOf(trace: Trace, open: ReadonlySet<number>): Row[] {
  const { children } = treeOf(trace);
  const rows: Row[] = [];
  const add = (list: readonly Ref[], level: number): void => list.forEach((ref, i) => {
    const parent = ref.kind === 'group';
    const shown = parent && open.has(ref.id);
    rows.push({ ref, level, at: i + 1, of: list.length, parent, open: shown });
    if (shown) add(children.get(ref.id)!, level + 1);
  });
  add(children.get(-1)!, 1);
  return rows;
}

/** Groups around a thing, the outermost last. */
export function around(trace: Trace, ref: Ref): number[] {
  const first = ref.kind === 'group' ? trace.groups[ref.id]!.parent : ref.kind === 'node' ? trace.nodes[ref.id]!.group : trace.nodes[trace.tensors[ref.id]!.node]?.group ?? -1;
  const groups: number[] = [];
  for (let g = first; g >= 0; g = trace.groups[g]!.parent) groups.push(g);
  return groups;
}
