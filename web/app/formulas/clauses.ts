// clauses.ts - reads the whole text of a formula: the value of an op, then its derivatives, by cases where the text says "where".
//
//   "y = x where x > 0, else s*x;  dx = g where x > 0, else s*g"
//
// Semicolons end a line; a comma with a space behind it ends a part. A part with "=" begins a clause, the others go on with the one before: further cases
// ("0 where x < 0", "else 0") or a remark.
import { type Expr, parseExpression } from './grammar';

export interface Case { value: Expr; when: Expr | null }

export interface Clause {
  /** Of a derivative: "dx = ...". */
  back: boolean;
  /** What stands before it: "tanh" in "tanh: y = ...". */
  label: string;
  target: Expr | null;
  /** "=" or "+=". */
  sign: string;
  /** One case without a condition; or several, of which the one without is for what remains. */
  cases: Case[];
  remarks: Expr[];
}

/** Pieces of text between separators outside of all brackets. */
function split(text: string, isEnd: (at: number) => boolean): string[] {
  const pieces: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if ('([{'.includes(text[i]!)) depth++;
    else if (')]}'.includes(text[i]!)) depth--;
    else if (depth === 0 && isEnd(i)) {
      pieces.push(text.slice(from, i).trim());
      from = i + 1;
    }
  }
  pieces.push(text.slice(from).trim());
  return pieces.filter(Boolean);
}

const lines = (text: string): string[] => split(text, (i) => text[i] === ';');
const parts = (line: string): string[] => split(line, (i) => line[i] === ',' && line[i + 1] === ' ');

interface Definition { target: string; sign: string; value: string }

/** "dx = g" -> its sides, when what is left of the first sign is a name (with an index, a prime), several, or a list. */
function definition(part: string): Definition | null {
  const found = /^((?:then )?(?:d?[A-Za-z]+\d?(?:_\w+|_\{[^}]*\}|_\([^)]*\))?'?(?:\[[^\]]*(?:\[[^\]]*\])?[^\]]*\])?|\([\w, ()-]*\)|\w(?:,\w)+|P\(.*?\)|\w\(\w\)))\s*(\+?=)\s+(.*)$/.exec(part);
  if (!found || /^(?:where|else)\b/.test(part)) return null;
  return { target: found[1]!, sign: found[2]!, value: found[3]! };
}

/** "x where c" -> a case; "else x" -> the rest; two "where" in one part are left as prose. */
function readCase(text: string): Case | null {
  if (text.startsWith('else ')) return { value: parseExpression(text.slice(5)), when: null };
  const pieces = text.split(/ where /);
  if (pieces.length !== 2) return null;
  return { value: parseExpression(pieces[0]!), when: parseExpression(pieces[1]!) };
}

const isDerivative = (target: string): boolean => /^(?:then )?d[A-Za-z]/.test(target);

function readLine(line: string): Clause[] {
  const label = /^([a-z]\w+): (?=\w+ = )/.exec(line)?.[1] ?? '';
  const [first, ...rest] = parts(label ? line.slice(label.length + 2) : line);
  const start = definition(first!);
  const clauses: Clause[] = [begin(start, first!, label)];
  if (!start) {
    clauses[0]!.cases[0]!.value = parseExpression(line);
    return clauses;
  }
  for (const part of rest) {
    const next = definition(part);
    if (next) clauses.push(begin(next, part, ''));
    else goOn(clauses.at(-1)!, part);
  }
  return clauses;
}

function begin(found: Definition | null, text: string, label: string): Clause {
  const value = found?.value ?? text;
  return {
    back: !!found && isDerivative(found.target), label, target: found ? parseExpression(found.target) : null, sign: found?.sign ?? '',
    cases: [readCase(value) ?? { value: parseExpression(value), when: null }], remarks: [],
  };
}

function goOn(clause: Clause, part: string): void {
  const next = clause.remarks.length ? null : readCase(part);
  if (next) clause.cases.push(next);
  else clause.remarks.push(parseExpression(part));
}

/** Every clause of a formula. SyntaxError when a bracket does not close. */
export function parseFormula(text: string): Clause[] {
  const clauses = lines(text).flatMap(readLine);
  // "dx = g*s, s = sigmoid(x)": what a derivative's line explains belongs to it.
  clauses.forEach((c, i) => { if (i > 0 && clauses[i - 1]!.back && !c.label) c.back = true; });
  return clauses;
}
