// large.mjs - texts of models with very many ops: towers of gated layers beside each other, every layer a region, no two of which are drawn as one.

const LAYER = 7; // ops of one

const layer = (t, k) => `region t${t}k${k} {
  W = param(8, 8) ~ xavier
  b = param(8)
  a = param(8) ~ ones
  h${t} = h${t} + tanh(h${t} @ W + b) * sigmoid(h${t} * a)
}
`;

/** A model that trains, with about `nodes` ops in `towers` towers. */
export function largeModel(nodes, towers = 20) {
  const layers = Math.ceil(nodes / (towers * LAYER)), each = (f) => Array.from({ length: towers }, (_, t) => f(t));
  return `data xor
Win = param(2, 8) ~ xavier
h = x @ Win
${each((t) => `h${t} = h\n` + Array.from({ length: layers }, (_, k) => layer(t, k)).join('')).join('')}
Wout = param(8, 2) ~ xavier
loss = cross_entropy((${each((t) => `h${t}`).join(' + ')}) @ Wout, y)
train sgd lr=1e-4 steps=1000000
`;
}
