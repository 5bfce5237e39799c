// language.ts - the model language for the editor: colours, completion, documentation on hover.
import { type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { HighlightStyle, StreamLanguage, type StringStream } from '@codemirror/language';
import { type Tooltip } from '@codemirror/view';
import { tags } from '@lezer/highlight';

export interface Word { word: string; kind: string; doc: string }

const STATEMENTS = new Set(['def', 'return', 'repeat', 'region', 'no_grad', 'data', 'metric', 'predict', 'train', 'batch', 'as']);

interface Where {
  /** Open brackets: names before "=" are arguments there. */
  brackets: number;
  /** The last sign that matters: "~" before an initialiser, the statement before a name. */
  after: string;
}

function token(stream: StringStream, where: Where): string | null {
  if (stream.sol()) where.after = '';
  if (stream.eatSpace()) return null;
  if (stream.match(/^#.*/)) return 'comment';
  if (stream.match(/^"[^"]*"?/)) return 'string';
  if (stream.match(/^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/i)) return 'number';
  const name = stream.match(/^[A-Za-z_]\w*/);
  if (name && name !== true) {
    const { after } = where;
    where.after = name[0];
    if (STATEMENTS.has(name[0]) && !stream.match(/^\s*[.(=]/, false)) return 'keyword';
    if (after === '~' || after === 'data' || after === 'train') return 'atom';
    if (after === 'def' || after === 'region') return 'def';
    if (name[0] === 'param') return 'builtin';
    if (where.brackets > 0 && stream.match(/^\s*=(?!=)/, false)) return 'property';
    if (stream.match(/^\s*\(/, false)) return 'function';
    return 'variable';
  }
  const sign = stream.next() ?? '';
  if (sign === '(' || sign === '[') where.brackets++;
  else if ((sign === ')' || sign === ']') && where.brackets > 0) where.brackets--;
  if ('~'.includes(sign)) where.after = sign;
  return '=~+-*/@<>!'.includes(sign) ? 'operator' : null;
}

export const modelLanguage = StreamLanguage.define<Where>({
  name: 'ebb',
  startState: () => ({ brackets: 0, after: '' }),
  token,
  languageData: { commentTokens: { line: '#' }, closeBrackets: { brackets: ['(', '[', '{', '"'] } },
  tokenTable: { function: tags.function(tags.variableName), property: tags.propertyName, def: tags.definition(tags.variableName), builtin: tags.standard(tags.variableName) },
});

export const modelColours = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--backward)', fontWeight: '600' },
  { tag: tags.standard(tags.variableName), color: 'var(--optim-ink)' },
  { tag: tags.function(tags.variableName), color: 'var(--accent)' },
  { tag: tags.definition(tags.variableName), fontWeight: '600' },
  { tag: tags.atom, color: 'var(--optim-ink)' },
  { tag: [tags.number, tags.string], color: 'var(--positive-ink)' },
  { tag: tags.propertyName, color: 'var(--negative)' },
  { tag: tags.comment, color: 'var(--ink-3)', fontStyle: 'italic' },
  { tag: tags.operator, color: 'var(--ink-2)' },
]);

const kinds: Record<string, string> = { op: 'function', statement: 'keyword', function: 'function', initialiser: 'constant', optimizer: 'constant', dataset: 'constant', word: 'keyword' };

/** Names that the text gives a value to. */
export const namesIn = (text: string): string[] =>
  [...new Set([...text.matchAll(/^\s*(?:def\s+)?([A-Za-z_]\w*)\s*[=(]/gm)].map((m) => m[1]!))].filter((name) => !STATEMENTS.has(name));

export const completion = (words: () => readonly Word[]) => (context: CompletionContext): CompletionResult | null => {
  const typed = context.matchBefore(/[A-Za-z_]\w*/);
  if (!typed && !context.explicit) return null;
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, (typed?.from ?? context.pos) - line.from);
  const wanted = /~\s*$/.test(before) ? ['initialiser'] : /^\s*data\s+$/.test(before) ? ['dataset'] : /^\s*train\s+$/.test(before) ? ['optimizer'] : null;
  const known = words().filter((w) => !wanted || wanted.includes(w.kind))
    .map((w) => ({ label: w.word, type: kinds[w.kind] ?? 'text', detail: w.kind, info: w.doc || undefined }));
  const own = wanted ? [] : namesIn(context.state.doc.toString()).map((label) => ({ label, type: 'variable', boost: 1 }));
  return { from: typed?.from ?? context.pos, options: [...own, ...known], validFor: /^\w*$/ };
};

/** What is known of the word at a place, as a tooltip of plain text. */
export function documentation(words: readonly Word[], text: string, pos: number): Tooltip | null {
  const isName = (c: string | undefined): boolean => c !== undefined && /\w/.test(c);
  let from = pos, to = pos;
  while (isName(text[from - 1])) from--;
  while (isName(text[to])) to++;
  const known = words.find((w) => w.word === text.slice(from, to));
  if (!known?.doc) return null;
  return {
    pos: from, end: to, above: true,
    create() {
      const dom = document.createElement('div');
      dom.className = 'editor-doc';
      const head = document.createElement('strong');
      head.textContent = `${known.word} `;
      const kind = document.createElement('span');
      kind.textContent = known.kind;
      const body = document.createElement('p');
      body.textContent = known.doc;
      dom.append(head, kind, body);
      return { dom };
    },
  };
}
