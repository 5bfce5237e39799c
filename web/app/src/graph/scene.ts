// scene.ts - a layout made ready for drawing: texts, lookups, moments and spatial grids. One scene a layout; it never changes.
//
// Indices: `box` counts layout.boxes, `wire` layout.wires. A box stands for the nodes that are inside it (a closed group: all of its rounds').
import type { Box, Layout, Trace, TraceTensor } from '@engine/protocol';
import { short, tensorName } from '../format';
import { formatShape } from '../lib/format';
import { type Moments, momentsOf, NEVER } from '../moments';
import type { Ref } from '../state';
import { Grid, type Rect } from './grid';

/** `detail` is the shape; '' of a single number, whose value stands there. */
export interface BoxText { title: string; label: string; detail: string }

export interface Scene {
  layout: Layout;
  trace: Trace;
  moments: Moments;
  texts: BoxText[];
  /** Of each box: the tensor whose picture it shows; -1. */
  tensor: Int32Array;
  /** Of each box: when the first and the last of its nodes runs, and gives gradients. */
  runFirst: Int32Array; runLast: Int32Array; ruleFirst: Int32Array; ruleLast: Int32Array;
  /** The box a node, a tensor (its own box or its node's), a group (closed or open) is drawn in; -1. */
  boxOfNode: Int32Array; boxOfTensor: Int32Array; boxOfGroup: Int32Array;
  /** Wires that end and begin at each box. */
  into: number[][]; outOf: number[][];
  boxGrid: Grid; wireGrid: Grid;
}

export const refOf = (box: Box): Ref => ({ kind: box.kind === 'frame' ? 'group' : box.kind, id: box.id });

export function boxOf(scene: Scene, ref: Ref | null): number {
  if (!ref) return -1;
  const table = ref.kind === 'node' ? scene.boxOfNode : ref.kind === 'tensor' ? scene.boxOfTensor : scene.boxOfGroup;
  return table[ref.id] ?? -1;
}

function textOf(trace: Trace, box: Box): BoxText {
  if (box.kind === 'node') {
    const node = trace.nodes[box.id]!;
    const out = trace.tensors[node.firstOut];
    return { title: node.op, label: node.label, detail: out?.shape.length ? formatShape(out.shape) : '' };
  }
  if (box.kind === 'tensor') {
    const tensor = trace.tensors[box.id]!;
    return { title: lastPart(tensorName(trace, box.id)), label: '', detail: formatShape(tensor.shape) };
  }
  const group = trace.groups[box.id]!;
  const ops = group.last - group.first;
  return { title: group.name, label: box.count > 1 ? `×${box.count}` : '', detail: `${short(ops)} ${ops === 1 ? 'op' : 'ops'}` };
}

/** "W" of "block.1/W": the frame around it says the rest. */
const lastPart = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

/** Boxes of closed groups and of nodes, for every node. */
function placeNodes(trace: Trace, boxes: readonly Box[]): { nodes: Int32Array; groups: Int32Array } {
  const nodes = new Int32Array(trace.nodes.length).fill(-1);
  const groups = new Int32Array(trace.groups.length).fill(-1);
  boxes.forEach((box, i) => {
    if (box.kind === 'node') nodes[box.id] = i;
    else if (box.kind === 'group' || box.kind === 'frame') groups[box.id] = i;
  });
  // Outer groups come before inner ones, so one pass hands a box down: from a folded twin to its fellows, from a closed group to what is in it.
  trace.groups.forEach((group, g) => {
    if (groups[g]! < 0) groups[g] = groups[group.twin] ?? -1;
    if (groups[g]! < 0 && group.parent >= 0) groups[g] = groups[group.parent]!;
  });
  trace.nodes.forEach((node, n) => { if (nodes[n]! < 0 && node.group >= 0) nodes[n] = groups[node.group]!; });
  return { nodes, groups };
}

function boundsOf(points: Float32Array): Rect {
  let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
  for (let i = 0; i < points.length; i += 2) {
    x0 = Math.min(x0, points[i]!); x1 = Math.max(x1, points[i]!);
    y0 = Math.min(y0, points[i + 1]!); y1 = Math.max(y1, points[i + 1]!);
  }
  return { x: x0 - 4, y: y0 - 4, w: x1 - x0 + 8, h: y1 - y0 + 8 };
}

/** The tensor a box shows: a node's first output, a closed group's last one. */
function shownTensor(trace: Trace, box: Box): number {
  const isValue = (t: TraceTensor | undefined): boolean => !!t && t.value >= 0;
  if (box.kind === 'tensor') return box.id;
  if (box.kind === 'frame') return -1;
  const node = trace.nodes[box.kind === 'node' ? box.id : trace.groups[box.id]!.last - 1];
  return node && node.nOut > 0 && isValue(trace.tensors[node.firstOut]) ? node.firstOut : -1;
}

export function makeScene(trace: Trace, layout: Layout): Scene {
  const { boxes, wires } = layout;
  const moments = momentsOf(trace);
  const { nodes: boxOfNode, groups: boxOfGroup } = placeNodes(trace, boxes);
  const boxOfTensor = new Int32Array(trace.tensors.length).fill(-1);
  trace.tensors.forEach((tensor, t) => { if (tensor.node >= 0) boxOfTensor[t] = boxOfNode[tensor.node]!; });
  const tensor = Int32Array.from(boxes, (box) => shownTensor(trace, box));
  const first = (): Int32Array => new Int32Array(boxes.length).fill(NEVER);
  const scene: Scene = {
    layout, trace, moments, tensor, boxOfNode, boxOfTensor, boxOfGroup,
    texts: boxes.map((box) => textOf(trace, box)),
    runFirst: first(), runLast: new Int32Array(boxes.length).fill(-1), ruleFirst: first(), ruleLast: new Int32Array(boxes.length).fill(-1),
    into: boxes.map(() => []), outOf: boxes.map(() => []),
    boxGrid: new Grid(boxes), wireGrid: new Grid(wires.map((w) => boundsOf(w.points))),
  };
  boxes.forEach((box, i) => { if (box.kind === 'tensor') boxOfTensor[box.id] = i; });
  boxOfNode.forEach((box, n) => {
    if (box < 0) return;
    scene.runFirst[box] = Math.min(scene.runFirst[box]!, moments.forward[n]!);
    scene.runLast[box] = Math.max(scene.runLast[box]!, moments.forward[n]!);
    scene.ruleFirst[box] = Math.min(scene.ruleFirst[box]!, moments.ruleFirst[n]!);
    if (moments.ruleLast[n]! < NEVER) scene.ruleLast[box] = Math.max(scene.ruleLast[box]!, moments.ruleLast[n]!);
  });
  wires.forEach((wire, i) => {
    scene.outOf[wire.from]?.push(i);
    scene.into[wire.to]?.push(i);
  });
  return scene;
}

/** The same drawing of another record of the same graph. */
export const withTrace = (scene: Scene, trace: Trace): Scene => ({ ...scene, trace, moments: momentsOf(trace) });

/** The innermost box at a point; frames only near their title or border. */
export function hit(scene: Scene, x: number, y: number, slack: number): number {
  const found = scene.boxGrid.query({ x: x - slack, y: y - slack, w: 2 * slack, h: 2 * slack });
  const { boxes } = scene.layout;
  const solid = found.filter((i) => boxes[i]!.kind !== 'frame');
  if (solid.length) return solid[solid.length - 1]!;
  return found.reverse().find((i) => y < boxes[i]!.y + FRAME_HEAD) ?? -1;
}

/** Height of a frame's title. */
export const FRAME_HEAD = 22;
