// texts.ts - finds the formulas that ops declare in their C files: .math = "one literal " "or several".
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { computed, type Computed } from './calculation';
import { parseFormula } from './clauses';
import { drawClauses, type Markup } from './mathml';

export interface FormulaRow { back: boolean; markup: Markup; computed?: Computed }
/** Declared text -> its rows. What is not in it is shown as the text that it is. */
export type Formulas = Record<string, FormulaRow[]>;

const DECLARATION = /\.math\s*=\s*((?:"(?:[^"\\]|\\.)*"\s*)+)/g;
const LITERAL = /"((?:[^"\\]|\\.)*)"/g;

/** Every formula that is declared in the C files of these folders and the folders in them. */
export function declaredFormulas(folders: string[]): string[] {
  const texts = new Set<string>();
  const files = folders.flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.c')).map((file) => join(folder, file))).sort();
  for (const file of files) {
    for (const found of readFileSync(file, 'utf8').matchAll(DECLARATION)) {
      texts.add([...found[1]!.matchAll(LITERAL)].map((literal) => literal[1]).join(''));
    }
  }
  return [...texts];
}

/** Null for a text that is no formula (a bracket does not close, a sign nobody knows). */
export function formula(text: string): FormulaRow[] | null {
  try {
    const clauses = parseFormula(text);
    const markup = drawClauses(clauses);
    return clauses.map((c, i) => {
      const numbers = computed(c);
      return { back: c.back, markup: markup[i]!, ...(numbers ? { computed: numbers } : {}) };
    });
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export function allFormulas(texts: string[]): Formulas {
  const found: Formulas = {};
  for (const text of texts) {
    const rows = formula(text);
    if (rows) found[text] = rows;
  }
  return found;
}
