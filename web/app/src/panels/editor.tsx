// editor.tsx - panel: the model's text. What is wrong is shown where it is; the graph stays that of the last text that was right.
import { useEffect, useRef, useState } from 'preact/hooks';
import { select } from '../actions';
import { getEngine } from '../engine';
import { app, useApp } from '../state';
import { useStore, watch } from '../store';
import { Button } from '../ui/button';
import { Icon } from '../ui/icon';
import type { Editor } from '../lib/codemirror';
import { applyDraft, draft, isAhead, lintDraft, replaceInDraft, suggestion } from '../lib/draft';
import type { Word } from '../lib/language';
import { loadOpTexts } from '../lib/mathml';
import './editor.css';

let words: Word[] = [];

/** The lean engine leaves documentation out: that of the build stands in. */
async function loadWords(): Promise<void> {
  const { engine } = await getEngine();
  const [known, { ops }] = await Promise.all([engine.call('words', {}), loadOpTexts()]);
  words = known.map((w) => ({ ...w, doc: (w.kind === 'op' && ops[w.word]?.doc) || w.doc }));
}

/** Lines of what is selected in the graph, when the text is the one that is loaded. */
function selectedLines(): [number, number] {
  const { selection, trace } = app.get();
  if (!selection || !trace || isAhead()) return [0, -1];
  if (selection.kind === 'group') {
    const g = trace.groups[selection.id];
    const nodes = g ? trace.nodes.slice(g.first, g.last).filter((n) => n.line > 0) : [];
    return nodes.length ? [Math.min(...nodes.map((n) => n.line)), Math.max(...nodes.map((n) => n.endLine))] : [0, -1];
  }
  const node = trace.nodes[selection.kind === 'node' ? selection.id : (trace.tensors[selection.id]?.node ?? -1)];
  return node && node.line > 0 ? [node.line, Math.max(node.line, node.endLine)] : [0, -1];
}

/** The last op that a line calls: what its name stands for. */
function selectLine(line: number): void {
  const { trace } = app.get();
  if (!trace || isAhead()) return;
  const id = trace.nodes.findLastIndex((n) => n.line <= line && line <= Math.max(n.line, n.endLine) && n.line > 0);
  if (id >= 0) select({ kind: 'node', id });
}

function ProblemBar({ editor }: { editor: { current: Editor | null } }) {
  const problem = useStore(draft, (d) => d.problem);
  const text = useStore(draft, (d) => d.text);
  const loaded = useApp((s) => s.model.text);
  if (!problem) return <p class="editor-state muted" role="status" data-testid="editor-state">{text === loaded ? 'This is the model that runs.' : 'Not applied yet.'}</p>;
  const instead = suggestion(problem.hint);
  const { span, call } = problem;
  return (
    <div class="editor-problem" role="alert" data-testid="editor-problem">
      <Icon name="warning" />
      <div>
        <p>{problem.message}</p>
        {problem.hint && <p class="small">{problem.hint}</p>}
        {call && <p class="small muted">{`called from line ${call.line}`}</p>}
        <p class="small muted">The graph is still that of the last text that was right.</p>
      </div>
      {instead && span && <Button label={`Write ${instead} instead`} tone="primary" testid="fix" onClick={() => replaceInDraft(span.from, span.to, instead)}>{instead}</Button>}
      {span && <Button label={`Go to line ${span.line}`} tone="plain" onClick={() => editor.current?.goTo(span.line)}>{`line ${span.line}`}</Button>}
    </div>
  );
}

export function EditorPanel() {
  const box = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const [failed, setFailed] = useState(false);
  const auto = useStore(draft, (d) => d.auto);
  const text = useStore(draft, (d) => d.text);
  const loaded = useApp((s) => s.model.text);
  useEffect(() => {
    let open = true;
    void loadWords().catch(() => undefined);
    void import('../lib/codemirror').then(({ openEditor }) => {
      if (!open || !box.current) return;
      editor.current = openEditor({
        parent: box.current, text: draft.get().text, words: () => words, lint: lintDraft,
        onChange: (now) => draft.set({ text: now }), onApply: () => void applyDraft(), onLine: selectLine,
      });
      editor.current.mark(...selectedLines());
    }, () => setFailed(true));
    const stops = [
      watch(draft, (d) => d.text, (now) => editor.current?.setText(now)),
      watch(app, (s) => s.selection, () => editor.current?.mark(...selectedLines())),
    ];
    return () => {
      open = false;
      stops.forEach((stop) => stop());
      editor.current?.close();
      editor.current = null;
    };
  }, []);
  return (
    <section class="editor-panel" aria-label="Model text">
      <div class="tools">
        <Button label="Apply the text" tone="primary" icon="check" keys="Control+Enter" disabled={text === loaded} testid="apply" onClick={() => void applyDraft()}>Apply</Button>
        <Button label="Back to the text of the model that runs" icon="restart" disabled={text === loaded} testid="revert" onClick={() => draft.set({ text: loaded, problem: null })} />
        <span class="space" />
        <label class="check"><input type="checkbox" checked={auto} onChange={(e) => draft.set({ auto: e.currentTarget.checked })} data-testid="auto-apply" /> apply when it is right</label>
      </div>
      {failed && <p class="bad" role="alert">The editor could not be loaded. Check the connection and reload the page.</p>}
      <div class="editor-box" ref={box} data-testid="editor" />
      <ProblemBar editor={editor} />
    </section>
  );
}
