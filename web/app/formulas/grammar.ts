// grammar.ts - reads one expression of the plain-text formulas that ops declare ("g*(1 - y)/n", "sum_j g_j*y_j", "x where kept").
//
// Loosest first: words beside each other; c ? a : b; relations; + and -; * and /; a sign; powers; primes, subscripts, [indices], calls.
// What is not an operator between two things that stand beside each other is prose: "largest integer <= x" is three words and a relation, so every text of
// balanced brackets can be read. SyntaxError for the others.

export type Expr =
  | { kind: 'number'; text: string }
  | { kind: 'name'; text: string }
  /** An operator that stands where a value should: "..", ":", "/n" in "(/n)". */
  | { kind: 'mark'; text: string }
  | { kind: 'sub'; base: Expr; items: Expr[] }
  | { kind: 'power'; base: Expr; exponent: Expr }
  | { kind: 'prime'; base: Expr }
  | { kind: 'index'; base: Expr; items: Expr[] }
  /** f(x), or ln x: `bare`. */
  | { kind: 'call'; name: Expr; args: Expr[]; bare: boolean }
  /** sum, prod, max, min, mean over what is below it. */
  | { kind: 'big'; op: string; below: Expr[]; body: Expr }
  | { kind: 'group'; open: string; close: string; items: Expr[] }
  | { kind: 'negative'; of: Expr }
  | { kind: 'binary'; op: '+' | '-' | '*' | '/'; left: Expr; right: Expr }
  /** a < b < c: one operator fewer than sides. */
  | { kind: 'relation'; ops: string[]; sides: Expr[] }
  | { kind: 'choice'; when: Expr; then: Expr; other: Expr }
  | { kind: 'phrase'; parts: Expr[] };

interface Token { kind: 'number' | 'name' | 'op' | 'end'; text: string; spaceBefore: boolean; spaceAfter: boolean }

// A name may be of several words: fill_value, row-major, k-th, batch's.
const TOKEN = /\s+|\d+(?:\.\d+)?|[A-Za-z]{3,}_[a-z]{3,}\b|[A-Za-z]{2,}-[a-z]{2,}\b|[a-z]-th\b|[A-Za-z][A-Za-z0-9]*(?:'s\b)?|\.\.\.|\.\.|\+=|!=|<=|>=|[-+*/^_=<>()[\]{}|',.:?]/y;
const RELATIONS = new Set(['=', '!=', '<', '>', '<=', '>=', '+=']);
const CLOSING: Record<string, string> = { '(': ')', '[': ']', '{': '}' };
const FUNCTIONS = new Set(['ln', 'log2', 'log10', 'exp', 'sqrt', 'sin', 'cos', 'tan', 'tanh', 'softmax', 'sign']);
const BIG = new Set(['sum', 'prod', 'max', 'min', 'mean']);
const PROSE_AFTER_BIG = new Set(['of', 'or', 'and', 'along', 'where', 'with']);

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let space = false;
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const word = TOKEN.exec(text)?.[0];
    if (word === undefined) throw new SyntaxError(`"${text[at]}" means nothing in a formula`);
    if (/^\s/.test(word)) {
      space = true;
      const last = tokens.at(-1);
      if (last) last.spaceAfter = true;
      continue;
    }
    const kind = /^\d/.test(word) ? 'number' : /^[A-Za-z]/.test(word) ? 'name' : 'op';
    tokens.push({ kind, text: word, spaceBefore: space, spaceAfter: false });
    space = false;
  }
  tokens.push({ kind: 'end', text: '', spaceBefore: true, spaceAfter: true });
  return tokens;
}

class Reader {
  private at = 0;
  /** Bars that are open: a bar where an operator may stand closes the innermost. */
  private bars = 0;
  constructor(private readonly tokens: Token[]) {}

  private get next(): Token { return this.tokens[this.at]!; }
  private get after(): Token { return this.tokens[Math.min(this.at + 1, this.tokens.length - 1)]!; }
  private is(text: string): boolean { return this.next.kind === 'op' && this.next.text === text; }
  private take(): Token { return this.tokens[this.at++]!; }
  private accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }
  private expect(text: string): void {
    if (!this.accept(text)) throw new SyntaxError(`"${text}" is missing before "${this.next.text}"`);
  }

  whole(): Expr {
    const value = this.list();
    if (this.next.kind !== 'end') throw new SyntaxError(`"${this.next.text}" closes nothing`);
    return value.length === 1 ? value[0]! : { kind: 'group', open: '', close: '', items: value };
  }

  private list(): Expr[] {
    const items = [this.phrase()];
    while (this.accept(',')) items.push(this.phrase());
    return items;
  }

  private stops(): boolean {
    const t = this.next;
    if (t.kind === 'end') return true;
    return t.kind === 'op' && (t.text === ',' || t.text === ')' || t.text === ']' || t.text === '}' || (t.text === '|' && this.bars > 0));
  }

  private phrase(): Expr {
    const parts: Expr[] = [];
    while (!this.stops()) {
      const part = this.relation();
      if (!this.accept('?')) {
        parts.push(part);
        continue;
      }
      const then = this.relation();
      this.expect(':');
      parts.push({ kind: 'choice', when: part, then, other: this.relation() });
    }
    if (parts.length === 0) return { kind: 'mark', text: '' };
    return parts.length === 1 ? parts[0]! : { kind: 'phrase', parts };
  }

  private relation(): Expr {
    const sides = [this.sum()];
    const ops: string[] = [];
    while (this.next.kind === 'op' && RELATIONS.has(this.next.text)) {
      ops.push(this.take().text);
      sides.push(this.sum());
    }
    return ops.length ? { kind: 'relation', ops, sides } : sides[0]!;
  }

  /** "mean -w": a sign before its operand alone begins another part of the phrase. */
  private isSign(): boolean { return this.is('-') && this.next.spaceBefore && !this.next.spaceAfter; }

  private sum(): Expr {
    let left = this.product();
    while ((this.is('+') || this.is('-')) && !this.isSign()) {
      const op = this.take().text as '+' | '-';
      left = { kind: 'binary', op, left, right: this.product() };
    }
    return left;
  }

  private product(): Expr {
    let left = this.signed();
    while ((this.is('*') || this.is('/')) && !this.isProse()) {
      const op = this.take().text as '*' | '/';
      left = { kind: 'binary', op, left, right: this.signed() };
    }
    return left;
  }

  /** "x / their number" is words. */
  private isProse(): boolean { return this.is('/') && this.next.spaceBefore && this.after.kind === 'name' && /^[a-z]{4,}$/.test(this.after.text); }

  private signed(): Expr { return this.accept('-') ? { kind: 'negative', of: this.signed() } : this.power(); }

  private power(): Expr {
    const base = this.postfix(this.atom());
    if (!this.accept('^')) return base;
    const exponent = this.accept('-') ? { kind: 'negative' as const, of: this.postfix(this.atom()) } : this.exponent();
    const power: Expr = { kind: 'power', base, exponent };
    const called = base.kind === 'name' && base.text.length > 1 && this.is('(') && !this.next.spaceBefore;
    return called ? { kind: 'call', name: power, args: this.bracketed(), bare: false } : power;
  }

  private exponent(): Expr { return this.is('(') ? unwrap(this.bracketed()) : this.postfix(this.atom()); }

  private bracketed(): Expr[] {
    const { items, open, close } = this.group();
    if (close !== CLOSING[open]) throw new SyntaxError(`"${open}" is closed by "${close}"`);
    return items;
  }

  /** An interval may be half open: [0, 1). */
  private group(): Expr & { kind: 'group' } {
    const open = this.take().text;
    const bars = this.bars;
    this.bars = 0;
    const items = this.list();
    this.bars = bars;
    const close = open === '[' && items.length === 2 && this.is(')') ? ')' : CLOSING[open]!;
    this.expect(close);
    return { kind: 'group', open, close, items };
  }

  private postfix(value: Expr): Expr {
    for (;;) {
      const t = this.next;
      if (t.kind !== 'op' || t.spaceBefore) return value;
      if (t.text === "'") {
        this.at++;
        value = { kind: 'prime', base: value };
      } else if (t.text === '_') {
        this.at++;
        value = this.subscripted(value);
      } else if (t.text === '[') {
        value = { kind: 'index', base: value, items: this.bracketed() };
      } else if (t.text === '(' && isCallable(value)) {
        value = { kind: 'call', name: value, args: this.bracketed(), bare: false };
      } else {
        return value;
      }
    }
  }

  private subscripted(base: Expr): Expr {
    if (this.is('{') || this.is('(')) return this.overWhat(base, this.bracketed());
    const items = [this.subscript()];
    while (this.is(',') && !this.next.spaceAfter && this.after.kind === 'name') {
      this.at++;
      items.push(this.subscript());
    }
    return this.overWhat(base, items);
  }

  /** i, 1, ij, or i-1 written closely. */
  private subscript(): Expr {
    if (this.next.kind === 'op' || this.next.kind === 'end') throw new SyntaxError('a subscript is missing');
    let value = this.leaf(this.take());
    while ((this.is('+') || this.is('-')) && !this.next.spaceBefore && !this.next.spaceAfter && this.after.kind === 'number') {
      const op = this.take().text as '+' | '-';
      value = { kind: 'binary', op, left: value, right: this.leaf(this.take()) };
    }
    return value;
  }

  private overWhat(base: Expr, items: Expr[]): Expr {
    if (base.kind === 'name' && BIG.has(base.text) && !this.stops() && !this.isOperator()) {
      return { kind: 'big', op: base.text, below: items, body: this.product() };
    }
    return { kind: 'sub', base, items };
  }

  private isOperator(): boolean {
    const t = this.next;
    return t.kind === 'op' && (RELATIONS.has(t.text) || '+*/^?:\''.includes(t.text) || (t.text === '-' && !this.isSign()));
  }

  private leaf(t: Token): Expr { return t.kind === 'number' ? { kind: 'number', text: t.text } : { kind: 'name', text: t.text }; }

  private atom(): Expr {
    if (this.next.kind === 'end') throw new SyntaxError('the formula ends where a value should stand');
    if (this.next.kind === 'op') return this.marked();
    const t: Token = this.take();
    if (t.kind === 'name' && t.spaceAfter && !this.stops() && !this.isOperator()) {
      const follows: Token = this.next;
      const operand = follows.kind === 'number' || follows.text === '(' || follows.text === '|' || this.isSign()
        || (follows.kind === 'name' && !PROSE_AFTER_BIG.has(follows.text));
      if (operand && FUNCTIONS.has(t.text)) return { kind: 'call', name: this.leaf(t), args: [this.power()], bare: true };
      if (operand && BIG.has(t.text) && (follows.kind === 'op' || isSymbol(follows.text))) {
        return { kind: 'big', op: t.text, below: [], body: this.product() };
      }
    }
    return this.leaf(t);
  }

  private marked(): Expr {
    const t = this.next;
    if (t.text === '(' || t.text === '[' || t.text === '{') return this.group();
    this.at++;
    if (t.text !== '|') return { kind: 'mark', text: t.text };
    this.bars++;
    const inside = this.phrase();
    this.bars--;
    this.expect('|');
    return { kind: 'group', open: '|', close: '|', items: [inside] };
  }
}

/** A name that stands for a number: one letter, or one with d before it. */
export const isSymbol = (name: string): boolean => /^d?[A-Za-z]\d*$/.test(name);

const isCallable = (e: Expr): boolean =>
  e.kind === 'name' || (e.kind === 'sub' && e.base.kind === 'name') || (e.kind === 'prime' && e.base.kind === 'name');

const unwrap = (items: Expr[]): Expr => (items.length === 1 ? items[0]! : { kind: 'group', open: '(', close: ')', items });

export const parseExpression = (text: string): Expr => new Reader(tokenize(text)).whole();
