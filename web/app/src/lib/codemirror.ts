// codemirror.ts - the editor of the model's text: CodeMirror with our language. A chunk of its own, loaded when the panel is first opened.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, toggleComment } from '@codemirror/commands';
import { bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, linter, lintKeymap } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState, StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, hoverTooltip, keymap, lineNumbers } from '@codemirror/view';
import type { Problem } from '@engine/protocol';
import { completion, documentation, modelColours, modelLanguage, type Word } from './language';
import { suggestion } from './draft';

export interface EditorOptions {
  parent: HTMLElement;
  text: string;
  words(): readonly Word[];
  /** What is wrong with the text; asked some time after the last change. */
  lint(text: string): Promise<Problem | null>;
  onChange(text: string): void;
  /** Ctrl+Enter. */
  onApply(): void;
  /** The person put the cursor into this line (from 1), without changing the text. */
  onLine(line: number): void;
}

export interface Editor {
  setText(text: string): void;
  /** Marks lines (from 1) as those of what is selected; scrolls to them unless the cursor is there. */
  mark(first: number, last: number): void;
  goTo(line: number): void;
  focus(): void;
  close(): void;
}

const LINT_MS = 250;

const setMarked = StateEffect.define<{ first: number; last: number }>();
const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(old, transaction) {
    let set = old.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setMarked)) continue;
      const { first, last } = effect.value;
      const lines = transaction.state.doc.lines;
      const numbers = Array.from({ length: Math.max(0, Math.min(lines, last) - first + 1) }, (_, i) => first + i).filter((n) => n >= 1);
      set = Decoration.set(numbers.map((n) => Decoration.line({ class: 'editor-marked' }).range(transaction.state.doc.line(n).from)));
    }
    return set;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const look = EditorView.theme({
  '&': { height: '100%', fontSize: '13px', backgroundColor: 'var(--surface)', color: 'var(--ink)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--ink-3)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--sunken)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--accent-soft)' },
  '.cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--accent)' },
  '.editor-marked': { backgroundColor: 'var(--accent-soft)', boxShadow: 'inset 3px 0 var(--accent)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad) 1.5px', textUnderlineOffset: '3px' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', color: 'var(--ink)', border: '1px solid var(--line-2)', borderRadius: '6px', boxShadow: 'var(--shadow)' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
  '.cm-completionDetail': { color: 'var(--ink-3)', fontStyle: 'normal' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected] .cm-completionDetail': { color: 'inherit' },
  '.cm-diagnostic': { fontFamily: 'var(--font)', borderLeftColor: 'var(--bad)' },
  '.cm-diagnosticAction': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
  '.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--ink)' },
  '.cm-textfield': { backgroundColor: 'var(--surface)', color: 'var(--ink)', border: '1px solid var(--line-2)' },
  '.cm-button': { backgroundImage: 'none', backgroundColor: 'var(--sunken)', color: 'var(--ink)', border: '1px solid var(--line-2)' },
  '.cm-searchMatch, .cm-selectionMatch': { backgroundColor: 'var(--optim-soft)' },
});

function diagnosticOf(problem: Problem, length: number): Diagnostic {
  const from = Math.min(length, problem.span?.from ?? 0);
  const to = Math.min(length, Math.max(from, problem.span?.to ?? length));
  const instead = suggestion(problem.hint);
  return {
    from, to, severity: 'error', message: problem.hint ? `${problem.message}: ${problem.hint}` : problem.message,
    actions: instead ? [{ name: `Write ${instead}`, apply: (view, a, b) => view.dispatch({ changes: { from: a, to: b, insert: instead } }) }] : [],
  };
}

export function openEditor(o: EditorOptions): Editor {
  let own = false;
  const check = linter(async (view): Promise<Diagnostic[]> => {
    const text = view.state.doc.toString();
    const problem = await o.lint(text);
    return problem && view.state.doc.toString() === text ? [diagnosticOf(problem, text.length)] : [];
  }, { delay: LINT_MS });
  const follow = EditorView.updateListener.of((update) => {
    if (own) return;
    if (update.docChanged) o.onChange(update.state.doc.toString());
    else if (update.selectionSet && update.transactions.some((t) => t.isUserEvent('select'))) o.onLine(update.state.doc.lineAt(update.state.selection.main.head).number);
  });
  const view = new EditorView({
    parent: o.parent,
    state: EditorState.create({
      doc: o.text,
      extensions: [
        lineNumbers(), history(), drawSelection(), bracketMatching(), closeBrackets(), highlightActiveLine(), highlightActiveLineGutter(), highlightSelectionMatches(),
        modelLanguage, syntaxHighlighting(modelColours), autocompletion({ override: [completion(o.words)] }), check, marked, follow, look,
        hoverTooltip((v, pos) => documentation(o.words(), v.state.doc.toString(), pos)),
        keymap.of([
          { key: 'Mod-Enter', run: () => { o.onApply(); return true; } },
          { key: 'Mod-/', run: toggleComment },
          ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap,
        ]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': 'Text of the model', spellcheck: 'false', autocapitalize: 'off', autocorrect: 'off', 'data-testid': 'editor-text' }),
      ],
    }),
  });
  const silently = (change: () => void): void => {
    own = true;
    change();
    own = false;
  };
  const hasCursorIn = (first: number, last: number): boolean => {
    const line = view.state.doc.lineAt(view.state.selection.main.head).number;
    return view.hasFocus && line >= first && line <= last;
  };
  return {
    setText(text) {
      if (view.state.doc.toString() !== text) silently(() => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }));
    },
    mark(first, last) {
      const seen = first >= 1 && first <= view.state.doc.lines && !hasCursorIn(first, last);
      const scroll = seen ? [EditorView.scrollIntoView(view.state.doc.line(first).from, { y: 'nearest', yMargin: 40 })] : [];
      silently(() => view.dispatch({ effects: [setMarked.of({ first, last }), ...scroll] }));
    },
    goTo(line) {
      const at = view.state.doc.line(Math.max(1, Math.min(view.state.doc.lines, line)));
      silently(() => view.dispatch({ selection: { anchor: at.from }, effects: EditorView.scrollIntoView(at.from, { y: 'center' }) }));
      view.focus();
    },
    focus: () => view.focus(),
    close: () => view.destroy(),
  };
}
