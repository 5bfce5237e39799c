// mathml.ts - draws a formula as MathML: as a tree of plain lists, which the page makes elements of (never text that is parsed as markup).
import type { Case, Clause } from './clauses';
import { type Expr, isSymbol } from './grammar';

/** [tag, attributes, ...children]; a text is a text. */
export type Markup = [tag: string, attributes: Record<string, string> | 0, ...children: (Markup | string)[]];

const GREEK: Record<string, string> = {
  alpha: 'α', beta: 'β', gamma: 'γ', delta: 'δ', eps: 'ε', lambd: 'λ', lambda: 'λ', pi: 'π', phi: 'φ', Phi: 'Φ', theta: 'θ', inf: '∞',
};
const OPERATORS: Record<string, string> = { '-': '−', '<=': '≤', '>=': '≥', '!=': '≠', '..': '…', '...': '…', '.': '·', '?': '?' };
const BIG: Record<string, string> = { sum: '∑', prod: '∏' };
const THIN = '0.18em', WORD = '0.3em';

const row = (...children: (Markup | string)[]): Markup =>
  (children.length === 1 && typeof children[0] !== 'string' ? children[0] as Markup : ['mrow', 0, ...children]);
const mo = (text: string, attributes: Record<string, string> | 0 = 0): Markup => ['mo', attributes, OPERATORS[text] ?? text];
const text = (words: string): Markup => ['mtext', 0, words];
const space = (width: string): Markup => ['mspace', { width }];
const between = (items: Markup[], gap: () => Markup[]): Markup[] => items.flatMap((item, i) => (i ? [...gap(), item] : [item]));
const comma = (): Markup[] => [mo(',')];
const TALL = new Set(['mfrac', 'munder', 'mtable']);
const isTall = (m: Markup | string): boolean => typeof m !== 'string' && (TALL.has(m[0]) || m.slice(2).some((part) => isTall(part as Markup | string)));
/** Brackets that grow with what is inside only where that is higher than a line. */
function fenced(open: string, inside: Markup[], close: string): Markup[] {
  const stretchy = String(inside.some(isTall));
  return [mo(open, { form: 'prefix', stretchy }), ...inside, mo(close, { form: 'postfix', stretchy })];
}

function name(word: string): Markup {
  const greek = GREEK[word] ?? (word.startsWith('d') ? GREEK[word.slice(1)] : undefined);
  if (word.length > 1 && word in GREEK) return ['mi', 0, greek!];
  const differential = /^d([A-Za-z]\w*)$/.exec(word);
  if (differential && (isSymbol(word) || greek || ['src', 'value', 'lo', 'hi'].includes(differential[1]!))) {
    return row(['mi', { mathvariant: 'normal' }, 'd'], name(differential[1]!));
  }
  const numbered = /^([A-Za-z])(\d+)$/.exec(word);
  if (numbered) return ['msub', 0, ['mi', 0, numbered[1]!], ['mn', 0, numbered[2]!]];
  return word.length === 1 ? ['mi', 0, word] : ['mi', 0, word];
}

const isLetters = (e: Expr): e is Expr & { kind: 'name' } => e.kind === 'name' && /^[a-z]{2,3}$/.test(e.text) && !(e.text in GREEK);

class Drawing {
  /** Primes of these names tell another value (h' of h); of all others they transpose. */
  constructor(private readonly primed: Set<string>) {}

  draw(e: Expr, level = 0): Markup {
    switch (e.kind) {
      case 'number': return ['mn', 0, e.text];
      case 'name': return name(e.text);
      case 'mark': return e.text ? mo(e.text) : row();
      case 'sub': return ['msub', 0, this.draw(e.base, level), this.subscript(e.items)];
      case 'power': return this.power(e, level);
      case 'prime': return this.prime(e, level);
      case 'index': return row(this.draw(e.base, level), ...fenced('[', this.list(e.items, 2), ']'));
      case 'call': return this.call(e, level);
      case 'big': return this.big(e, level);
      case 'group': return this.group(e, level);
      case 'negative': return row(mo('-', { form: 'prefix' }), this.draw(e.of, level));
      case 'binary': return this.binary(e, level);
      case 'relation': return row(...e.sides.flatMap((side, i) => (i ? [mo(e.ops[i - 1]!), this.draw(side, level)] : [this.draw(side, level)])));
      case 'choice': return cases([{ value: e.then, when: e.when }, { value: e.other, when: null }], this);
      case 'phrase': return this.phrase(e.parts, level);
    }
  }

  private list(items: Expr[], level: number): Markup[] { return between(items.map((i) => this.draw(i, level)), comma); }

  private subscript(items: Expr[]): Markup {
    return row(...between(items.map((i) => (isLetters(i) ? row(...[...i.text].map((c): Markup => ['mi', 0, c])) : this.draw(i, 2))), comma));
  }

  private power(e: Expr & { kind: 'power' }, level: number): Markup {
    const exponent = e.exponent.kind === 'name' && e.exponent.text === 'T' ? mo('⊤') : this.draw(e.exponent, 2);
    // |v|^2, (x)^2: a bracket is one base; sum_x^2 has both marks on one letter.
    if (e.base.kind === 'sub') return ['msubsup', 0, this.draw(e.base.base, level), this.subscript(e.base.items), exponent];
    return ['msup', 0, this.draw(e.base, level), exponent];
  }

  private prime(e: Expr & { kind: 'prime' }, level: number): Markup {
    const mark = mo('⊤');
    if (e.base.kind === 'name' && this.primed.has(e.base.text)) return primed(this.draw(e.base, level));
    if (e.base.kind === 'sub') return ['msubsup', 0, this.draw(e.base.base, level), this.subscript(e.base.items), mark];
    return ['msup', 0, this.draw(e.base, level), mark];
  }

  private call(e: Expr & { kind: 'call' }, level: number): Markup {
    const named = e.name.kind === 'name' ? e.name.text : '';
    if (named === 'sqrt') return ['msqrt', 0, this.draw(e.args[0]!, level + 1)];
    if (named === 'floor' || named === 'ceil') {
      const [open, close] = named === 'floor' ? ['⌊', '⌋'] as const : ['⌈', '⌉'] as const;
      return row(...fenced(open, [this.draw(e.args[0]!, level)], close));
    }
    const head: Markup = named === 'gamma' ? ['mi', { mathvariant: 'normal' }, 'Γ']
      : /^log\d+$/.test(named) ? ['msub', 0, ['mi', 0, 'log'], ['mn', 0, named.slice(3)]]
        : e.name.kind === 'prime' ? primed(this.draw(e.name.base, level)) : this.draw(e.name, level);
    if (e.bare) return row(head, space(THIN), this.draw(e.args[0]!, level));
    return row(head, ...fenced('(', this.list(e.args, level), ')'));
  }

  private big(e: Expr & { kind: 'big' }, level: number): Markup {
    const sign = BIG[e.op];
    const op: Markup = sign ? mo(sign, { movablelimits: 'false' }) : ['mi', 0, e.op];
    const head: Markup = !e.below.length ? op : [level < 2 ? 'munder' : 'msub', 0, op, this.subscript(e.below)];
    return row(head, space(THIN), this.draw(e.body, level));
  }

  private group(e: Expr & { kind: 'group' }, level: number): Markup {
    const inside = this.list(e.items, level);
    return row(...(e.open ? fenced(e.open, inside, e.close) : inside));
  }

  private binary(e: Expr & { kind: 'binary' }, level: number): Markup {
    if (e.op === '/') {
      if (level >= 2) return row(this.draw(e.left, level), mo('/'), this.draw(e.right, level));
      const { minus, over, under } = fraction(e);
      const drawn: Markup = ['mfrac', 0, this.draw(bare(over), level + 1), this.draw(bare(under), level + 1)];
      return minus ? row(mo('-', { form: 'prefix' }), drawn) : drawn;
    }
    const left = this.draw(e.left, level);
    const right = this.draw(e.right, level);
    if (e.op === '*') return row(left, ...(canTouch(e.left, e.right) ? [mo('\u2062'), space(THIN)] : [mo('·')]), right);
    return row(left, mo(e.op, { form: 'infix' }), right);
  }

  /** Words become one text; between words and mathematics there is the space of a word. */
  private phrase(parts: Expr[], level: number): Markup {
    const out: Markup[] = [];
    let words: string[] = [];
    const flush = (): void => {
      if (words.length) out.push(text(words.join(' ')));
      words = [];
    };
    parts.forEach((part, i) => {
      if (isCross(parts, i)) out.push(mo('×'));
      else if (isWord(part, parts[i + 1])) words.push(part.text);
      else {
        flush();
        out.push(this.draw(part, level));
      }
    });
    flush();
    return row(...between(out, () => [space(WORD)]));
  }
}

const primed = (base: Markup): Markup => row(base, mo('′', { lspace: '0', rspace: '0' }));

const isWord = (e: Expr, next: Expr | undefined): e is Expr & { kind: 'name' } =>
  e.kind === 'name' && !(e.text in GREEK) && (!isSymbol(e.text) || (/^[aA]$/.test(e.text) && next?.kind === 'name' && !isSymbol(next.text)));

/** The x of "a x b" alone. */
const isCross = (parts: Expr[], i: number): boolean =>
  parts.length === 3 && i === 1 && parts.every((p) => p.kind === 'name' && isSymbol(p.text)) && (parts[1] as { text: string }).text === 'x';

/** (a + b) as a part of a fraction needs no brackets. */
const bare = (e: Expr): Expr => (e.kind === 'group' && e.open === '(' && e.items.length === 1 ? e.items[0]! : e);

/** a/b/c is one fraction over b*c, and the sign of -a*b/c stands before it. */
function fraction(e: Expr & { kind: 'binary' }): { minus: boolean; over: Expr; under: Expr } {
  let { left: over, right: under } = e;
  while (over.kind === 'binary' && over.op === '/') {
    under = { kind: 'binary', op: '*', left: over.right, right: under };
    over = over.left;
  }
  const positive = withoutSign(over);
  return { minus: positive !== null, over: positive ?? over, under };
}

function withoutSign(e: Expr): Expr | null {
  if (e.kind === 'negative') return e.of;
  const left = e.kind === 'binary' && e.op === '*' ? withoutSign(e.left) : null;
  return left && { ...e as Expr & { kind: 'binary' }, left };
}

/** Factors that read as a product without a dot: g y, 2 x, not n (a + b), which would look like a call, nor 2 3. */
function canTouch(left: Expr, right: Expr): boolean {
  const short = (e: Expr): boolean => {
    switch (e.kind) {
      case 'name': return isSymbol(e.text) || e.text in GREEK;
      case 'sub': case 'power': case 'prime': return short(e.base);
      default: return false;
    }
  };
  const last = left.kind === 'binary' && left.op === '*' ? left.right : left;
  return (short(last) || last.kind === 'number') && (short(right) || right.kind === 'big' || (right.kind === 'call' && right.name.kind === 'name'));
}

const isPlain = (c: Case[]): boolean => c.length === 1 && !c[0]!.when;

function cases(all: Case[], drawing: Drawing): Markup {
  const ordered = [...all.filter((c) => c.when), ...all.filter((c) => !c.when)];
  const line = (c: Case): Markup => ['mtr', 0,
    ['mtd', 0, drawing.draw(c.value, 1)],
    ['mtd', 0, c.when ? row(text('where'), space(WORD), drawing.draw(c.when, 1)) : text('else')]];
  return ['mtable', { class: 'cases' }, ...ordered.map(line)];
}

/** Names whose prime the text defines or calls: h' = .., h'(x). */
function primedNames(clauses: Clause[]): Set<string> {
  const names = new Set<string>();
  for (const c of clauses) if (c.target?.kind === 'prime' && c.target.base.kind === 'name') names.add(c.target.base.text);
  return names;
}

/** One clause as the content of a <math> element. */
export function drawClauses(clauses: Clause[]): Markup[] {
  const drawing = new Drawing(primedNames(clauses));
  return clauses.map((c) => {
    const head: Markup[] = c.label ? [text(`${c.label}:`), space(WORD)] : [];
    if (c.target) head.push(drawing.draw(c.target), mo(c.sign));
    const only = c.cases[0]!;
    const alone = isPlain(c.cases) ? drawing.draw(only.value)
      : c.cases.length === 1 ? row(drawing.draw(only.value), space('1em'), text('where'), space(WORD), drawing.draw(only.when!))
        : cases(c.cases, drawing);
    return row(...head, alone, ...c.remarks.flatMap((r) => [mo(','), space(WORD), drawing.draw(r)]));
  });
}
