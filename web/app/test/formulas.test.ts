// formulas.test.ts - the formulas that ops declare: every one is read or left as text, and known ones come out as they should.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseFormula } from '../formulas/clauses';
import { readDeclarations } from '../formulas/declarations';
import type { Markup } from '../formulas/mathml';
import { formula, opTexts } from '../formulas/texts';
import { work, write } from '../src/lib/calculate';

/** The tests run from build/web/app-test. */
const declared = readDeclarations([fileURLToPath(new URL('../../../ops', import.meta.url))]);

/** The characters of a formula in the order they stand, "a/b" for fractions, "a_b" and "a^b" for scripts. */
function plain(m: Markup | string): string {
  if (typeof m === 'string') return m;
  const parts = (m.slice(2) as (Markup | string)[]).map(plain);
  switch (m[0]) {
    case 'mfrac': return `(${parts[0]})/(${parts[1]})`;
    case 'msub': case 'munder': return `${parts[0]}_{${parts[1]}}`;
    case 'msup': return `${parts[0]}^{${parts[1]}}`;
    case 'msubsup': return `${parts[0]}_{${parts[1]}}^{${parts[2]}}`;
    case 'msqrt': return `sqrt(${parts[0]})`;
    case 'mspace': return m[1] && m[1].width === '0.18em' ? '' : ' ';
    case 'mtable': return `{${parts.join('; ')}}`;
    case 'mtr': return parts.join(' | ');
    default: return parts.join('');
  }
}
const drawn = (text: string): string[] => formula(text)!.map((r) => plain(r.markup).replaceAll('\u2062', ' '));

test('every declared formula is read, but for the few that are left as text', () => {
  assert.ok(declared.formulas.length >= 400, `${declared.formulas.length} formulas were found`);
  const left = declared.formulas.filter((text) => formula(text) === null);
  assert.ok(left.length <= 3, `left as text: ${left.join('\n')}`);
});

test('documentation and defaults are found beside the formulas', () => {
  const { ops } = declared;
  assert.equal(ops.add?.defaults.alpha, 1);
  assert.match(ops.gelu!.ref, /Hendrycks/);
  assert.ok(Object.values(ops).every((op) => op.doc), 'every op has a line of documentation');
});

const golden: [string, string[]][] = [
  ['z = x*y;  dx = g*y,  dy = g*x', ['z=x y', 'dx=g y', 'dy=g x']],
  ['y = 1/(1 + exp(-x));  dx = g*y*(1 - y)', ['y=(1)/(1+exp(−x))', 'dx=g y·(1−y)']],
  ['y = max(x, 0);  dx = g where x > 0, else 0', ['y=max(x,0)', 'dx={g | where x>0; 0 | else}']],
  ["C = A*B;  dA = G*B',  dB = A'*G", ['C=A B', 'dA=G B^{⊤}', 'dB=A^{⊤} G']],
  ["h' = (1 - z)*n + z*h", ['h′=(1−z)·n+z h']],
  ['y_i = exp(x_i) / sum_j exp(x_j)', ['y_{i}=(exp(x_{i}))/(∑_{j}exp(x_{j}))']],
  ['L = mean (x - t)^2;  dx = g*2*(x - t)/n,  dt = -dx', ['L=mean(x−t)^{2}', 'dx=(g·2·(x−t))/(n)', 'dt=−dx']],
  ['dx = -g*y^3/2', ['dx=−(g y^{3})/(2)']],
  ['dv = g/a/n', ['dv=(g)/(a n)']],
  ['y = m ? value : x;  dx = m ? 0 : g', ['y={value | where m; x | else}', 'dx={0 | where m; g | else}']],
  ['y = largest integer <= x;  dx = 0', ['y=largest integer≤x', 'dx=0']],
  ['y_i = low + u_i*(high - low), u uniform in [0, 1)', ['y_{i}=low+u_{i}·(high−low), u uniform in [0,1)']],
  ['y = a x b', ['y=a × b']],
  ['da_ik = sum_j g_ij*|v|', ['da_{ik}=∑_{j}g_{ij}·|v|']],
];
for (const [text, rows] of golden) test(`formula: ${text}`, () => assert.deepEqual(drawn(text), rows));

test('derivatives are told from values', () => {
  assert.deepEqual(parseFormula('y = x*s, s = sigmoid(x);  dx = g*s, r = s').map((c) => c.back), [false, false, true, true]);
});

test('a bracket that does not close leaves the text as it is', () => {
  assert.equal(formula('y = (x + 1;  dx = g'), null);
  assert.deepEqual(opTexts({ formulas: ['y = (x', 'y = x'], ops: {} }).formulas['y = (x'], undefined);
});

test('a formula is worked out with numbers', () => {
  const [forward, dx] = formula('y = x where x > 0, else s*x;  dx = g where x > 0, else s*g')!;
  const numbers = new Map([['x', -1.2], ['s', 0.5], ['g', 3]]);
  assert.deepEqual(work(forward!.computed!, numbers), { value: -0.6, text: '0.5 · (−1.2)', when: null });
  assert.equal(work(dx!.computed!, numbers)!.value, 1.5);
  assert.equal(work(forward!.computed!, new Map([['x', 2]]))!.when, '2 > 0');
  assert.equal(work(forward!.computed!, new Map([['s', 2]])), null, 'x has no number');
});

test('numbers are written with the brackets that the order of operations needs', () => {
  const numbers = new Map([['a', 2], ['b', -3]]);
  const text = (f: string): string => write(formula(`y = ${f}`)![0]!.computed!.cases[0]!.value, numbers);
  assert.equal(text('a*(a + b)'), '2 · (2 + (−3))');
  assert.equal(text('a - (a - b)'), '2 − (2 − (−3))');
  assert.equal(text('b^2'), '(−3)²');
  assert.equal(text('a^(b - 1)'), '2^(−3 − 1)');
  assert.equal(text('-a*b'), '−2 · (−3)');
});
