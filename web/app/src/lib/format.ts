// format.ts - what the panels write besides the page's numbers: cells of tables, indices, shares.
import { number, signed } from '../format';

export { bytes as formatBytes, count as formatCount, number as formatNumber, shape as formatShape } from '../format';

/** At most six characters, for the cell of a heatmap. */
export function formatCell(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || value === 0) return number(value);
  return signed(size >= 0.01 && size < 99.995 ? value.toFixed(2) : size >= 99.995 && size < 9999.5 ? value.toFixed(0) : value.toExponential(0));
}

export const formatIndex = (index: readonly number[]): string => `[${index.join(', ')}]`;
export const formatPercent = (share: number): string => (Number.isFinite(share) ? `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %` : '-');
