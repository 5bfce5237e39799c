// keys.ts - every key of the page, in one table: what the keyboard does and what the help dialog shows.
import * as act from '../actions';
import { fitAll, lookAtSelection, panBy, zoomBy } from '../graph/viewstate';
import { app } from '../state';

export interface Key {
  /** As KeyboardEvent.key says it, "Ctrl+" before it where that is held. */
  keys: readonly string[];
  words: string;
  group: 'Training' | 'Timeline' | 'Graph' | 'Page';
  run: () => void;
  /** Only while the graph has the focus. */
  graph?: boolean;
}

const PAN_PX = 60;
const group = (): number => {
  const { selection, trace } = app.get();
  if (!selection || !trace) return -1;
  if (selection.kind === 'group') return selection.id;
  const node = selection.kind === 'node' ? selection.id : trace.tensors[selection.id]!.node;
  return trace.nodes[node]?.group ?? -1;
};

/** Selects the op after or before the selected one, in the order they run, and shows it. */
function selectOp(step: number): void {
  const { selection, trace } = app.get();
  if (!trace?.nodes.length) return;
  const n = trace.nodes.length;
  const id = selection?.kind === 'node' ? (selection.id + step + n) % n : step > 0 ? 0 : n - 1;
  void act.goTo({ kind: 'node', id }).then(lookAtSelection);
}

export const keys: readonly Key[] = [
  { group: 'Training', keys: ['t'], words: 'train, or pause', run: act.toggleTraining },
  { group: 'Training', keys: ['n'], words: 'one training step', run: () => void act.stepOnce() },
  { group: 'Training', keys: ['i'], words: 'inspect this step; then the next one', run: () => void (app.get().mode === 'inspecting' ? act.inspectNext() : act.inspect()) },

  { group: 'Timeline', keys: [' '], words: 'play or pause the step', run: () => (app.get().mode === 'training' ? void act.pause() : act.toggleTimeline()) },
  { group: 'Timeline', keys: ['.', 'ArrowRight'], words: 'one event on', run: () => act.scrubBy(1) },
  { group: 'Timeline', keys: [',', 'ArrowLeft'], words: 'one event back', run: () => act.scrubBy(-1) },
  { group: 'Timeline', keys: ['PageDown'], words: 'ten events on', run: () => act.scrubBy(10) },
  { group: 'Timeline', keys: ['PageUp'], words: 'ten events back', run: () => act.scrubBy(-10) },
  { group: 'Timeline', keys: ['Home'], words: 'to the begin', run: act.scrubToStart },
  { group: 'Timeline', keys: ['End'], words: 'to the end', run: act.scrubToEnd },
  { group: 'Timeline', keys: ['c'], words: 'mark what changed since the record before', run: () => act.setDiff(!app.get().settings.diff) },

  { group: 'Graph', keys: ['ArrowLeft'], graph: true, words: 'pan, with the graph in focus', run: () => panBy(PAN_PX, 0) },
  { group: 'Graph', keys: ['ArrowRight'], graph: true, words: '', run: () => panBy(-PAN_PX, 0) },
  { group: 'Graph', keys: ['ArrowUp'], graph: true, words: '', run: () => panBy(0, PAN_PX) },
  { group: 'Graph', keys: ['ArrowDown'], graph: true, words: '', run: () => panBy(0, -PAN_PX) },
  { group: 'Graph', keys: ['+', '='], words: 'zoom in', run: () => zoomBy(1.3) },
  { group: 'Graph', keys: ['-'], words: 'zoom out', run: () => zoomBy(1 / 1.3) },
  { group: 'Graph', keys: ['f'], words: 'show everything', run: fitAll },
  { group: 'Graph', keys: ['s'], words: 'show the selection', run: lookAtSelection },
  { group: 'Graph', keys: [']'], words: 'select the next op', run: () => selectOp(1) },
  { group: 'Graph', keys: ['['], words: 'select the op before', run: () => selectOp(-1) },
  { group: 'Graph', keys: ['Enter', 'o'], words: 'open or close the selected group', run: () => { if (group() >= 0) void act.toggleGroup(group()); } },
  { group: 'Graph', keys: ['u'], words: 'what leads to the selection', run: () => act.traceLineage('up') },
  { group: 'Graph', keys: ['d'], words: 'what the selection leads to', run: () => act.traceLineage('down') },
  { group: 'Graph', keys: ['g'], words: 'gradients on the edges', run: () => act.setSettings({ flow: !app.get().settings.flow }) },

  { group: 'Page', keys: ['/', 'Ctrl+k'], words: 'search ops, names and shapes', run: () => act.showDialog('search') },
  { group: 'Page', keys: ['?'], words: 'this help', run: () => act.showDialog('help') },
  { group: 'Page', keys: ['Escape'], words: 'let go of the selection', run: () => { act.traceLineage(null); act.select(null); } },
];

/** Whether the key belongs to what has the focus: a text, a slider, a list, a button. */
function taken(e: KeyboardEvent): boolean {
  const at = e.target instanceof Element ? e.target : null;
  if (!at || e.ctrlKey || e.metaKey) return false;
  if (at.closest('input[type="text"], input[type="search"], input:not([type]), textarea, select, [contenteditable="true"], dialog')) return true;
  const moves = e.key.startsWith('Arrow') || ['Home', 'End', 'PageUp', 'PageDown'].includes(e.key);
  if (moves && at.closest('input, [role="tablist"], [role="tree"], [role="tabpanel"]')) return true;
  return (e.key === ' ' || e.key === 'Enter') && at.closest('button, a, input:not([type="range"]), summary, [role="tree"], [role="option"]') !== null;
}

export function listenToKeys(): () => void {
  const onKey = (e: KeyboardEvent): void => {
    if (e.defaultPrevented || e.altKey || taken(e) || app.get().dialog) return;
    const held = e.ctrlKey || e.metaKey;
    const name = held ? `Ctrl+${e.key.toLowerCase()}` : e.key.length === 1 ? e.key.toLowerCase() : e.key;
    const onGraph = e.target instanceof Element && e.target.closest('.graph') !== null;
    const key = keys.find((k) => k.graph === true && onGraph && k.keys.includes(name)) ?? keys.find((k) => !k.graph && k.keys.includes(name));
    if (!key) return;
    e.preventDefault();
    key.run();
  };
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}
