// models.ts - the model the page opens with.

export const firstModel = {
  name: 'spirals',
  text: `# Two layers that learn to tell spirals apart.
data spirals batch 64
`,
};
