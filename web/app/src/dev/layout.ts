// layout.ts - development stand-in: ranks by longest path, one column a rank's position, frames around open groups.
import { GROUP_OPEN, GROUP_UNFOLDED, type Box, type Layout, type Trace, type Wire } from '@engine/protocol';

const GAP_X = 24, GAP_Y = 34, HEIGHT = 44, PAD = 14, HEAD = 24;

export function makeLayout(trace: Trace, given: Uint8Array | undefined): Layout {
  const open = given ?? Uint8Array.from(trace.groups, (g) => (g.kind !== 'op' && trace.groups.length < 40 ? GROUP_OPEN : 0));
  const owner = (group: number): number => {
    let closed = -1;
    for (let g = group; g >= 0; g = trace.groups[g]!.parent) {
      const t = trace.groups[g]!;
      if (t.nTwins > 1 && !(open[t.twin]! & GROUP_UNFOLDED)) closed = t.twin;
      else if (!(open[g]! & GROUP_OPEN)) closed = g;
    }
    return closed;
  };
  const keyOfNode = trace.nodes.map((n, i) => { const g = owner(n.group); return g >= 0 ? `g${g}` : `n${i}`; });
  const boxOf = new Map<string, number>();
  const rank: number[] = [], list: Omit<Box, 'x' | 'y' | 'w' | 'h'>[] = [], groupOfBox: number[] = [];
  const add = (key: string, box: Omit<Box, 'x' | 'y' | 'w' | 'h'>, group: number): number => {
    const at = boxOf.get(key) ?? list.push(box) - 1;
    boxOf.set(key, at);
    groupOfBox[at] ??= group;
    rank[at] ??= 0;
    return at;
  };
  const made = new Map<number, number>(), wires: { from: number; to: number; tensor: number; input: number }[] = [];
  trace.nodes.forEach((n, i) => {
    const g = owner(n.group);
    const at = g >= 0
      ? add(`g${g}`, { kind: 'group', id: g, count: trace.groups[g]!.nTwins, frame: -1 }, trace.groups[g]!.parent)
      : add(`n${i}`, { kind: 'node', id: i, count: 1, frame: -1 }, n.group);
    for (let k = n.input; k < n.input + n.nIn; k++) {
      const t = trace.inputs[k]!.tensor;
      if (t < 0) continue;
      const source = trace.tensors[t]!;
      if (source.node < 0 && (source.kind === 'const' || (source.kind === 'param' && g >= 0))) continue;
      const from = source.node >= 0 ? made.get(t)! : add(`t${t}`, { kind: 'tensor', id: t, count: 1, frame: -1 }, source.kind === 'param' ? n.group : -1);
      if (from === at) continue;
      rank[at] = Math.max(rank[at]!, rank[from]! + 1);
      wires.push({ from, to: at, tensor: t, input: keyOfNode[i]!.startsWith('n') ? k : -1 });
    }
    for (let o = 0; o < n.nOut; o++) made.set(n.firstOut + o, at);
  });
  for (const w of wires) if (list[w.from]!.kind === 'tensor' && trace.tensors[list[w.from]!.id]!.kind === 'param') rank[w.from] = Math.max(0, rank[w.to]! - 1);

  const boxes: Box[] = [];
  const frames = trace.groups.map((_, g) => g).filter((g) => owner(g) < 0);
  const frameOf = new Map(frames.map((g, i) => [g, i]));
  for (const g of frames) boxes.push({ kind: 'frame', id: g, count: 1, frame: frameOf.get(trace.groups[g]!.parent) ?? -1, x: 1e9, y: 1e9, w: 0, h: 0 });
  const byRank = new Map<number, number[]>();
  list.forEach((_, i) => byRank.set(rank[i]!, [...(byRank.get(rank[i]!) ?? []), i]));
  const widthOf = (b: (typeof list)[0]): number => {
    const name = b.kind === 'node' ? trace.nodes[b.id]!.op + trace.nodes[b.id]!.label : b.kind === 'group' ? trace.groups[b.id]!.name + '    ' : trace.tensors[b.id]!.name;
    return Math.max(84, 30 + 7 * name.length);
  };
  const widest = Math.max(...[...byRank.values()].map((ids) => ids.reduce((w, i) => w + widthOf(list[i]!) + GAP_X, 0)));
  const first = boxes.length;
  list.forEach((b) => boxes.push({ ...b, frame: -1, x: 0, y: 0, w: widthOf(b), h: HEIGHT }));
  for (const [r, ids] of byRank) {
    const total = ids.reduce((w, i) => w + widthOf(list[i]!) + GAP_X, -GAP_X);
    let x = (widest - total) / 2 + 30;
    for (const i of ids) {
      const box = boxes[first + i]!;
      Object.assign(box, { x, y: 30 + r * (HEIGHT + GAP_Y), frame: frameOf.get(groupOfBox[i]!) ?? -1 });
      x += box.w + GAP_X;
    }
  }
  for (let i = boxes.length - 1; i >= 0; i--) {
    const b = boxes[i]!;
    if (b.frame < 0) continue;
    const f = boxes[b.frame]!;
    const right = Math.max(f.w ? f.x + f.w : 0, b.x + b.w + PAD), bottom = Math.max(f.h ? f.y + f.h : 0, b.y + b.h + PAD);
    f.x = Math.min(f.x, b.x - PAD); f.y = Math.min(f.y, b.y - HEAD);
    f.w = right - f.x; f.h = bottom - f.y;
  }
  const out = wires.map((w): Wire => {
    const a = boxes[first + w.from]!, b = boxes[first + w.to]!;
    const x1 = a.x + a.w / 2, y1 = a.y + a.h, x2 = b.x + b.w / 2, y2 = b.y;
    return { from: first + w.from, to: first + w.to, tensor: w.tensor, input: w.input, points: Float32Array.of(x1, y1, x1, y1 + GAP_Y / 2, x2, y2 - GAP_Y / 2, x2, y2) };
  });
  return { width: Math.max(...boxes.map((b) => b.x + b.w)) + 30, height: Math.max(...boxes.map((b) => b.y + b.h)) + 30, boxes, wires: out, open, ms: 0 };
}
