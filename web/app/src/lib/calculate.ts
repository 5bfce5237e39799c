// calculate.ts - computes a formula with the numbers of one element, and writes it with these numbers in place of its names.
import type { Calculation, Computed, Condition, Operation } from '../../formulas/calculation';
import { formatNumber } from './format';

export type Numbers = ReadonlyMap<string, number>;

const functions: Record<string, (...v: number[]) => number> = {
  '+': (a, b) => a! + b!, '-': (a, b) => a! - b!, '*': (a, b) => a! * b!, '/': (a, b) => a! / b!, '^': (a, b) => a! ** b!, neg: (a) => -a!, abs: Math.abs,
  exp: Math.exp, ln: Math.log, log2: Math.log2, sqrt: Math.sqrt, sin: Math.sin, cos: Math.cos, tan: Math.tan, sinh: Math.sinh, cosh: Math.cosh, tanh: Math.tanh,
  sigmoid: (a) => 1 / (1 + Math.exp(-a!)), sign: Math.sign, trunc: Math.trunc, floor: Math.floor, max: Math.max, min: Math.min,
};
const comparisons: Record<string, (a: number, b: number) => boolean> = {
  '<': (a, b) => a < b, '>': (a, b) => a > b, '<=': (a, b) => a <= b, '>=': (a, b) => a >= b, '=': (a, b) => a === b, '!=': (a, b) => a !== b,
};

const operands = (c: Operation): Calculation[] => c.slice(1);

/** NaN when a name has no number. */
export function evaluate(c: Calculation, numbers: Numbers): number {
  if (typeof c === 'number') return c;
  if (typeof c === 'string') return numbers.get(c) ?? (c === 'pi' ? Math.PI : NaN);
  return functions[c[0]]!(...operands(c).map((part) => evaluate(part, numbers)));
}

const holds = (condition: Condition, numbers: Numbers): boolean =>
  condition.every(([op, a, b]) => comparisons[op]!(evaluate(a, numbers), evaluate(b, numbers)));

const namesIn = (c: Calculation): string[] => (typeof c === 'string' ? [c] : typeof c === 'number' ? [] : operands(c).flatMap(namesIn));

export interface Worked { value: number; text: string; when: string | null }

/** The case that applies, worked out. Null when a name in it, or in a condition before it, has no number. */
export function work(formula: Computed, numbers: Numbers): Worked | null {
  const known = (c: Calculation): boolean => namesIn(c).every((name) => name === 'pi' || numbers.has(name));
  for (const { value, when } of formula.cases) {
    if (when && !when.every(([, a, b]) => known(a) && known(b))) return null;
    if (when && !holds(when, numbers)) continue;
    if (!known(value)) return null;
    return { value: evaluate(value, numbers), text: write(value, numbers), when: when && when.map(([op, a, b]) => `${write(a, numbers)} ${op} ${write(b, numbers)}`).join(', ') };
  }
  return null;
}

const binding: Record<string, number> = { '+': 1, '-': 1, '*': 2, '/': 2, neg: 3, '^': 4 };
const signs: Record<string, string> = { '+': ' + ', '-': ' \u2212 ', '*': ' \u00b7 ', '/': ' / ' };

const raised = (exponent: Calculation, numbers: Numbers): string =>
  (exponent === 2 ? '\u00b2' : exponent === 3 ? '\u00b3' : `^${write(exponent, numbers, 5)}`);

/** "0.31 · (−1.2)": brackets where the order of operations or a sign asks for them. */
export function write(c: Calculation, numbers: Numbers, outer = 0, first = true): string {
  if (typeof c !== 'object') {
    const value = evaluate(c, numbers);
    const text = formatNumber(value, 4);
    return value < 0 && (!first || outer > 2) ? `(${text})` : text;
  }
  const op = c[0];
  const of = operands(c);
  const own = binding[op];
  if (op === 'abs') return `|${write(of[0]!, numbers)}|`;
  if (own === undefined) return `${op}(${of.map((part) => write(part, numbers)).join(', ')})`;
  const [a, b] = of;
  const text = op === 'neg' ? `\u2212${write(a!, numbers, own, false)}`
    : op === '^' ? `${write(a!, numbers, own + 1, false)}${raised(b!, numbers)}`
      : `${write(a!, numbers, own, first)}${signs[op]!}${write(b!, numbers, own + 1, false)}`;
  return own < outer || (op === 'neg' && !first) ? `(${text})` : text;
}
