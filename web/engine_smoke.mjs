// engine_smoke.mjs - an engine preset's module as it is: its size, a step of logistic regression through calls by name, and its verifier.
//     node engine_smoke.mjs MODULE MOST_KB [none|all]     none: it must say that it has no verifier; all: every op must pass it
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const [file, most, verifier] = process.argv.slice(2);
const bytes = readFileSync(file), F64 = 2;

function check(holds, words) {
  if (holds) return;
  console.error(`engine: ${words}`);
  process.exit(1);
}

const module = new WebAssembly.Module(bytes);
const imports = {};
for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => 0;
const m = new WebAssembly.Instance(module, imports).exports;
m._initialize?.();

const view = () => new DataView(m.memory.buffer);
const room = (n, write) => { const p = m.malloc(n); write?.(view(), p); return p; };
const str = (s) => { const b = new TextEncoder().encode(`${s}\0`); return room(b.length, (v, p) => new Uint8Array(v.buffer).set(b, p)); };
const text = (p) => { const b = new Uint8Array(m.memory.buffer); return new TextDecoder().decode(b.subarray(p, b.indexOf(0, p))); };

const e = m.ebb_open(0);
const tensor = (shape, values) => m.ebb_tensor_new(e, F64,
  room(72, (v, p) => { v.setInt32(p, shape.length, true); shape.forEach((d, i) => v.setBigInt64(p + 8 + 8 * i, BigInt(d), true)); }),
  room(8 * values.length, (v, p) => values.forEach((x, i) => v.setFloat64(p + 8 * i, x, true))));
const call = (op, inputs, attrs = '') => {
  const x = room(4 * inputs.length, (v, p) => inputs.forEach((t, i) => v.setUint32(p + 4 * i, t, true))), y = room(4);
  check(m.ebb_call_named(e, str(op), inputs.length, x, str(attrs), 1, y) >= 1, `${op}: ${text(m.ebb_error(e))}`);
  return view().getUint32(y, true);
};

const x = tensor([4, 2], [0, 0, 0, 1, 1, 0, 1, 1]), t = tensor([4, 1], [0, 0, 0, 1]), w = tensor([1, 2], [0.5, -0.25]);
check(m.ebb_requires_grad(w, 1) === 0, text(m.ebb_error(e)));
const loss = call('binary_cross_entropy_with_logits', [call('linear', [x, w]), t]);
check(m.ebb_backward(loss) === 0, text(m.ebb_error(e)));
const g = m.ebb_grad_of(w), s = (z) => 1 / (1 + Math.exp(-z));
[(s(0.5) + s(0.25) - 1) / 4, (s(-0.25) + s(0.25) - 1) / 4].forEach((want, i) => {
  const got = m.ebb_at(g, BigInt(i));
  check(Math.abs(got - want) < 1e-12, `the gradient's element ${i} is ${got}, not ${want}`);
});

const count = Number(m.ebb_op_count(e));
if (verifier === 'none') {
  check(m.ebb_verify(e, str('linear'), 0) !== 0 && /no verifier/.test(text(m.ebb_error(e))), `without a verifier it says "${text(m.ebb_error(e))}"`);
} else {
  const name = (i) => view().getUint32(m.ebb_op_at(e, i) + 8, true);
  for (let i = 0; i < count; i++) check(m.ebb_verify(e, name(i), 0) === 0, `${text(name(i))} fails its verification ${text(m.ebb_error(e))}`);
}

const kb = (n) => Math.round(n / 102.4) / 10, packed = gzipSync(bytes, { level: 9 }).length;
console.log(`engine: ${count} ops, ${kb(bytes.length)} KB, ${kb(packed)} KB gzip`);
check(packed <= most * 1024, `${kb(packed)} KB are more than the ${most} KB it may have`);
