// models.ts - the model the page opens with.

export const firstModel = {
  name: 'spirals',
  text: `# Tell three spirals apart: two hidden layers.
def layer(x, n) {
  W = param(x.shape[-1], n) ~ xavier
  b = param(n) ~ zeros
  return x @ W + b
}

data spirals batch 64 classes=3 noise=0.05
h = tanh(layer(x, 24))
h = tanh(layer(h, 24))
logits = layer(h, 3)
loss = cross_entropy(logits, y)

metric accuracy = accuracy(logits, y)
predict p = softmax(logits, dim=1)
train adamw lr=0.003 steps=20000
`,
};
