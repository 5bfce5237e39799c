// texts.ts - what the page knows of ops when it is built: formulas drawn and made computable, documentation.
import { computed, type Computed } from './calculation';
import { parseFormula } from './clauses';
import type { Declarations, OpText } from './declarations';
import { drawClauses, type Markup } from './mathml';

export interface FormulaRow { back: boolean; markup: Markup; computed?: Computed }
export interface OpTexts {
  /** Declared text -> its rows. What is not in it is shown as the text that it is. */
  formulas: Record<string, FormulaRow[]>;
  ops: Record<string, OpText>;
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

export function opTexts(declared: Declarations): OpTexts {
  const formulas: OpTexts['formulas'] = {};
  for (const text of declared.formulas) {
    const rows = formula(text);
    if (rows) formulas[text] = rows;
  }
  return { formulas, ops: declared.ops };
}
