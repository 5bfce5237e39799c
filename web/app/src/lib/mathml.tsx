// mathml.tsx - makes elements of formulas that were drawn at build time. Loaded when a formula is first shown.
import { h, type VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Markup } from '../../formulas/mathml';
import type { OpTexts } from '../../formulas/texts';

let loaded: OpTexts | null = null;

export const loadOpTexts = async (): Promise<OpTexts> => (loaded ??= (await import('virtual:ops')).default);

/** Formulas and documentation of the built-in ops; null until they are loaded. */
export function useOpTexts(): OpTexts | null {
  const [texts, set] = useState(loaded);
  useEffect(() => {
    if (loaded) return;
    void loadOpTexts().then(set);
  }, []);
  return texts;
}

const element = ([tag, attributes, ...children]: Markup): VNode =>
  h(tag, attributes || null, ...children.map((child) => (typeof child === 'string' ? child : element(child))));

export const Formula = ({ markup }: { markup: Markup }): VNode => <math display="block">{element(markup)}</math>;
