// plugin.ts - gives the page `virtual:ops`: what the ops declare, read and drawn when the page is built.
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { readDeclarations } from './declarations';
import { opTexts } from './texts';

const NAME = 'virtual:ops';
const RESOLVED = `\0${NAME}`;

/** `repository`: URL of the repository's root. */
export function opTextsPlugin(repository: URL): Plugin {
  return {
    name: 'ebb-op-texts',
    resolveId: (id) => (id === NAME ? RESOLVED : null),
    load(id) {
      if (id !== RESOLVED) return null;
      const texts = opTexts(readDeclarations([fileURLToPath(new URL('ops', repository))]));
      // Parsing a text is faster for browsers than reading an object literal of this size.
      return { code: `export default JSON.parse(${JSON.stringify(JSON.stringify(texts))});`, moduleType: 'js', map: null };
    },
  };
}
