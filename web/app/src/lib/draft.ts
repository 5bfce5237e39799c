// draft.ts - the text that is being written, which may be ahead of the model that is loaded.
import type { Problem } from '@engine/protocol';
import { loadModel } from '../actions';
import { getEngine } from '../engine';
import { app, type State } from '../state';
import { createStore, watch } from '../store';

interface Draft {
  text: string;
  /** What is wrong in `text`, as far as it has been read. */
  problem: Problem | null;
  /** Loads the text by itself when it is right. */
  auto: boolean;
}

export const draft = createStore<Draft>({ text: app.get().model.text, problem: null, auto: true });

/** The model was replaced from elsewhere (a gallery, a link): so is the draft. */
watch(app, (s: State) => s.model.text, (text) => {
  if (draft.get().text !== text) draft.set({ text, problem: null });
});

export const isAhead = (): boolean => draft.get().text !== app.get().model.text;

/** Loads the draft. Training goes on when it went on. */
export async function applyDraft(): Promise<void> {
  const { text } = draft.get();
  const problem = await loadModel(text, { train: app.get().mode === 'training' });
  if (draft.get().text === text) draft.set({ problem });
}

/** What is wrong with a text; remembered when it is the draft's. */
export async function lintDraft(text: string): Promise<Problem | null> {
  const { problem } = await (await getEngine()).engine.call('lint', { text });
  if (draft.get().text === text) draft.set({ problem });
  return problem;
}

/** A draft that is right is loaded so long after its last change. */
const AUTO_MS = 700;
let due: ReturnType<typeof setTimeout> | undefined;

/** Applies the draft when it is right, and nothing was changed while that was found out. */
async function applyWhenRight(): Promise<void> {
  const { text, auto } = draft.get();
  if (!auto || !isAhead() || (await lintDraft(text))) return;
  if (draft.get().text === text && isAhead()) await applyDraft();
}

watch(draft, (d) => d.text, () => {
  clearTimeout(due);
  // A refusal (the engine is being started again, say) leaves the draft as it is.
  due = setTimeout(() => void applyWhenRight().catch(() => undefined), AUTO_MS);
});

/** Replaces part of the draft. */
export function replaceInDraft(from: number, to: number, by: string): void {
  const { text } = draft.get();
  draft.set({ text: text.slice(0, from) + by + text.slice(to) });
}

/** What to write instead, when the hint names it: "did you mean relu?". */
export const suggestion = (hint: string): string | null => /did you mean "?([\w.]+)"?\?/.exec(hint)?.[1] ?? null;

/** The text with an op of a plugin used in it: a line behind the one that makes `h`, or behind the last assignment before the loss. */
export function withOp(text: string, op: string): { text: string; line: number } {
  const lines = text.split('\n');
  const assigned = (line: string): string | null => /^\s*([A-Za-z_]\w*)\s*=\s*(?!\s*param\b)/.exec(line)?.[1] ?? null;
  const firstLoss = lines.findIndex((line) => /^\s*loss\s*=/.test(line));
  const before = firstLoss < 0 ? lines.length : firstLoss;
  let at = -1;
  for (let i = 0; i < before; i++) if (assigned(lines[i]!) && !/=\s*param\s*\(/.test(lines[i]!)) at = i;
  // The last value before the loss is what the loss is of: the op goes to the one before it where there is one.
  const earlier = lines.slice(0, at).findLastIndex((line) => !!assigned(line) && !/=\s*param\s*\(/.test(line));
  const place = earlier >= 0 ? earlier : at;
  if (place < 0) return { text: `${text.trimEnd()}\ny = ${op}(x)\n`, line: lines.length };
  const name = assigned(lines[place]!)!;
  const indent = /^\s*/.exec(lines[place]!)![0];
  lines.splice(place + 1, 0, `${indent}${name} = ${op}(${name})`);
  return { text: lines.join('\n'), line: place + 2 };
}
