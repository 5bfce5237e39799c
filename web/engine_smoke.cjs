// engine_smoke.cjs - loads the engine as a page would, trains one step of logistic regression through the by-name ABI, and tells its size.
//     node engine_smoke.cjs BUILD_DIR [MOST_KB]
const fs = require('fs');
const path = require('path');
const zlib = require('zlib');
const [dir, most] = [process.argv[2], Number(process.argv[3] || 0)];
const wasm = fs.readFileSync(path.join(dir, 'ebb-engine.wasm'));
const F64 = 2;

function check(holds, words) {
  if (holds) return;
  console.error(`engine: ${words}`);
  process.exit(1);
}

require(path.resolve(dir, 'ebb-engine.js'))({ wasmBinary: wasm }).then((m) => {
  const str = (s) => { const p = m._malloc(m.lengthBytesUTF8(s) + 1); m.stringToUTF8(s, p, 1000); return p; };
  const e = m._ebb_open(0);
  const words = () => m.UTF8ToString(m._ebb_error(e));
  const ints = (v) => { const p = m._malloc(72); m.HEAP32[p >> 2] = v.length; v.forEach((d, i) => { m.HEAP32[(p >> 2) + 2 + 2 * i] = d; m.HEAP32[(p >> 2) + 3 + 2 * i] = 0; }); return p; };
  const tensor = (shape, v) => { const p = m._malloc(8 * v.length); m.HEAPF64.set(v, p >> 3); return m._ebb_tensor_new(e, F64, ints(shape), p); };
  const call = (op, xs, attrs = '') => {
    const p = m._malloc(4 * xs.length + 4), y = m._malloc(4);
    xs.forEach((x, i) => { m.HEAP32[(p >> 2) + i] = x; });
    const n = m._ebb_call_named(e, str(op), xs.length, p, str(attrs), 1, y);
    check(n >= 1, `${op}: ${words()}`);
    return m.HEAP32[y >> 2];
  };
  const x = tensor([4, 2], [0, 0, 0, 1, 1, 0, 1, 1]), t = tensor([4], [0, 0, 0, 1]), w = tensor([2], [0.5, -0.25]);
  check(m._ebb_requires_grad(w, 1) === 0, words());
  const loss = call('binary_cross_entropy_with_logits', [call('mv', [x, w]), t]);
  check(m._ebb_backward(loss) === 0, words());
  const g = m._ebb_grad_of(w), got = [m._ebb_at(g, 0, 0), m._ebb_at(g, 1, 0)];
  const s = (z) => 1 / (1 + Math.exp(-z));
  const want = [(s(0.5) + s(0.25) - 1) / 4, (s(-0.25) + s(0.25) - 1) / 4];
  want.forEach((v, i) => check(Math.abs(got[i] - v) < 1e-12, `the gradient is ${got}, not ${want}`));
  const kb = Math.round(wasm.length / 1024), gz = Math.round(zlib.gzipSync(wasm, { level: 9 }).length / 1024);
  console.log(`engine: ${m._ebb_op_count(e)} ops, ${kb} KB, ${gz} KB gzip`);
  check(!most || kb <= most, `${kb} KB are more than the ${most} KB it may have`);
  m._ebb_close(e);
});
