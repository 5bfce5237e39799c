// declarations.ts - reads what ops declare in their C files: formulas, documentation, references, the defaults of their numbers.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface OpText { math: string; doc: string; ref: string; defaults: Record<string, number> }
export interface Declarations { formulas: string[]; ops: Record<string, OpText> }

const LITERALS = '((?:"(?:[^"\\\\]|\\\\.)*"\\s*)+)';
const LITERAL = /"((?:[^"\\]|\\.)*)"/g;

/** C joins literals that follow each other. */
const joined = (literals: string | undefined): string => [...(literals ?? '').matchAll(LITERAL)].map((l) => l[1]!.replace(/\\(.)/g, '$1')).join('');
const field = (body: string, name: string): string => joined(new RegExp(`\\.${name}\\s*=\\s*${LITERALS}`).exec(body)?.[1]);

/** Name of a table of attributes -> the defaults that are numbers. */
function attributeTables(source: string): Map<string, Record<string, number>> {
  const tables = new Map<string, Record<string, number>>();
  for (const [, name, body] of source.matchAll(/static const ebb_attr (\w+)\[\] = \{([\s\S]*?)\};/g)) {
    const defaults: Record<string, number> = {};
    for (const [, attr, value] of body!.matchAll(/EBB_ATTR\(\w+, \w+, (\w+), "([^"]*)"/g)) {
      if (value !== '' && Number.isFinite(Number(value))) defaults[attr!] = Number(value);
    }
    tables.set(name!, defaults);
  }
  return tables;
}

/** What is declared in the C files of these folders and the folders in them. */
export function readDeclarations(folders: string[]): Declarations {
  const formulas = new Set<string>();
  const ops: Record<string, OpText> = {};
  const files = folders.flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.c')).map((file) => join(folder, file))).sort();
  for (const file of files) {
    const source = readFileSync(file, 'utf8');
    const tables = attributeTables(source);
    for (const [, name, body] of source.matchAll(/^EBB_OP\((\w+),([\s\S]*?)\n\);/gm)) {
      formulas.add(field(body!, 'math'));
      const attrs = /EBB_ATTRS\(\w+, (\w+)\)/.exec(body!)?.[1];
      ops[name!] = { math: field(body!, 'math'), doc: field(body!, 'doc'), ref: field(body!, 'ref'), defaults: tables.get(attrs ?? '') ?? {} };
    }
  }
  formulas.delete('');
  return { formulas: [...formulas], ops };
}
