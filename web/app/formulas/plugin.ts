// plugin.ts - gives the page `virtual:formulas`: what the ops declare, drawn when the page is built.
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { allFormulas, declaredFormulas } from './texts';

const NAME = 'virtual:formulas';
const RESOLVED = `\0${NAME}`;

export function formulas(): Plugin {
  const repository = fileURLToPath(new URL('../../../', import.meta.url));
  return {
    name: 'ebb-formulas',
    resolveId: (id) => (id === NAME ? RESOLVED : null),
    load(id) {
      if (id !== RESOLVED) return null;
      const found = allFormulas(declaredFormulas([`${repository}ops`]));
      return { code: `export default JSON.parse(${JSON.stringify(JSON.stringify(found))});`, moduleType: 'js', map: null };
    },
  };
}
