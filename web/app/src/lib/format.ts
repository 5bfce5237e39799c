// format.ts - numbers, shapes and sizes in few characters, the same everywhere on the page.

const MINUS = '\u2212';
const signed = (text: string): string => text.replace(/^-/, MINUS).replace('e-', `e${MINUS}`).replace('e+', 'e');

/** 0.0123, 12.3, 1.2e-5: `digits` significant ones at most, no more characters than needed. */
export function formatNumber(value: number, digits = 4): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+\u221e' : `${MINUS}\u221e`;
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return signed(String(value));
  if (size < 1e-4 || size >= 1e5) return signed(value.toExponential(Math.max(0, digits - 2)).replace(/\.?0+e/, 'e'));
  return signed(String(Number(value.toPrecision(digits))));
}

/** At most six characters, for the cell of a heatmap. */
export function formatCell(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || value === 0) return formatNumber(value);
  return signed(size >= 0.01 && size < 99.995 ? value.toFixed(2) : size >= 99.995 && size < 9999.5 ? value.toFixed(0) : value.toExponential(0));
}

export const formatCount = (n: number): string => n.toLocaleString('en');
export const formatShape = (shape: readonly number[]): string => (shape.length ? shape.join(' \u00d7 ') : 'scalar');
export const formatIndex = (index: readonly number[]): string => `[${index.join(', ')}]`;
export const formatPercent = (share: number): string => (Number.isFinite(share) ? `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %` : '-');

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KB', 'MB', 'GB'];
  let unit = 0;
  let size = bytes / 1024;
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024;
  return `${size.toFixed(size < 10 ? 1 : 0)} ${units[unit]}`;
}
