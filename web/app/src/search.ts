// search.ts - finds ops, tensors and groups of a trace by words of their names, attributes and shapes.
import type { Trace } from '@engine/protocol';
import { call, tensorName } from './format';
import { formatShape } from './lib/format';
import type { Ref } from './state';

export interface Found { ref: Ref; title: string; detail: string }

interface Entry extends Found { text: string; rank: number }

const cache = new WeakMap<Trace, Entry[]>();

function entriesOf(trace: Trace): Entry[] {
  const known = cache.get(trace);
  if (known) return known;
  const entry = (ref: Ref, title: string, detail: string, more: string, rank: number): Entry =>
    ({ ref, title, detail, rank, text: `${title} ${detail} ${more}`.toLowerCase() });
  // Shapes are found as people type them too: "64x24", "64,24".
  const forms = (dims: readonly number[]): string => `${dims.join('x')} ${dims.join(',')}`;
  const entries = [
    ...trace.groups.map((g, id) => entry({ kind: 'group', id }, g.name, `group of ${g.last - g.first} ops`, '', 0)),
    ...trace.tensors.flatMap((t, id) => (t.node < 0 && t.name ? [entry({ kind: 'tensor', id }, tensorName(trace, id), `${t.kind} ${formatShape(t.shape)}`, forms(t.shape), 1)] : [])),
    ...trace.nodes.map((n, id) => {
      const dims = trace.tensors[n.firstOut]?.shape ?? [];
      return entry({ kind: 'node', id }, n.label ? `${n.label} = ${n.op}` : n.op, formatShape(dims), `${call(trace, id)} ${forms(dims)}`, 2);
    }),
  ];
  cache.set(trace, entries);
  return entries;
}

/** Those that have every word, names that begin with the first word before others. */
export function search(trace: Trace, query: string, most = 60): Found[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const score = (e: Entry): number => (e.title.toLowerCase().startsWith(words[0]!) ? 0 : e.title.toLowerCase().includes(words[0]!) ? 10 : 20) + e.rank;
  return entriesOf(trace).filter((e) => words.every((w) => e.text.includes(w))).sort((a, b) => score(a) - score(b)).slice(0, most);
}
