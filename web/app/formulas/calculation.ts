// calculation.ts - what of a formula can be computed with an element's own numbers: clauses of numbers, names, known functions and comparisons.
import type { Case, Clause } from './clauses';
import type { Expr } from './grammar';

/** A number, a name, or an operation: "+", "-", "*", "/", "^", "neg", "abs", a function's name. */
export type Calculation = number | string | Operation;
export interface Operation extends ReadonlyArray<Calculation> { readonly 0: string }
/** Comparisons that must all hold: a < b < c is two. */
export type Condition = [op: string, left: Calculation, right: Calculation][];
export interface Computed { target: string; cases: { value: Calculation; when: Condition | null }[] }

const FUNCTIONS = new Set([
  'exp', 'ln', 'log2', 'sqrt', 'sin', 'cos', 'tan', 'sinh', 'cosh', 'tanh', 'sigmoid', 'sign', 'trunc', 'floor', 'max', 'min',
]);
const COMPARISONS = new Set(['<', '>', '<=', '>=', '=', '!=']);

class NotComputable extends Error {}

const operation = (op: string, ...of: Calculation[]): Operation => [op, ...of] as unknown as Operation;

function calculation(e: Expr): Calculation {
  switch (e.kind) {
    case 'number': return Number(e.text);
    case 'name': return e.text;
    case 'negative': return operation('neg', calculation(e.of));
    case 'binary': return operation(e.op, calculation(e.left), calculation(e.right));
    case 'power': return operation('^', calculation(e.base), calculation(e.exponent));
    case 'group':
      if (e.items.length !== 1 || !'(|'.includes(e.open)) throw new NotComputable();
      return e.open === '|' ? operation('abs', calculation(e.items[0]!)) : calculation(e.items[0]!);
    case 'call':
      if (e.name.kind !== 'name' || !FUNCTIONS.has(e.name.text)) throw new NotComputable();
      return operation(e.name.text, ...e.args.map(calculation));
    default: throw new NotComputable();
  }
}

function condition(e: Expr): Condition {
  if (e.kind !== 'relation' || !e.ops.every((op) => COMPARISONS.has(op))) throw new NotComputable();
  return e.ops.map((op, i) => [op, calculation(e.sides[i]!), calculation(e.sides[i + 1]!)]);
}

function computedCases(cases: Case[]): Computed['cases'] {
  const all = cases.map((c) => ({ value: calculation(c.value), when: c.when && condition(c.when) }));
  return [...all.filter((c) => c.when), ...all.filter((c) => !c.when)];
}

/** Null when the clause needs more than an element's own numbers, or says something in words. */
export function computed(clause: Clause): Computed | null {
  if (clause.target?.kind !== 'name' || clause.sign !== '=' || clause.remarks.length || clause.label) return null;
  try {
    const cases = clause.cases.length === 1 && clause.cases[0]!.value.kind === 'choice' ? choice(clause.cases[0]!.value) : clause.cases;
    return { target: clause.target.text, cases: computedCases(cases) };
  } catch (error) {
    if (error instanceof NotComputable) return null;
    throw error;
  }
}

/** c ? x : y of a mask c is x where c is not 0. */
function choice(e: Expr & { kind: 'choice' }): Case[] {
  const when: Expr = { kind: 'relation', ops: ['!='], sides: [e.when, { kind: 'number', text: '0' }] };
  return [{ value: e.then, when }, { value: e.other, when: null }];
}
