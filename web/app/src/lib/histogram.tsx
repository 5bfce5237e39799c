// histogram.tsx - the 32 bins of a tensor's finite elements as bars, with zero marked.
import type { Stats } from '@engine/protocol';
import { formatCount, formatNumber } from './format';

const HEIGHT = 44, GAP = 0.15;

export function Histogram({ stats, label }: { stats: Stats; label: string }) {
  const most = Math.max(1, ...stats.bins);
  const n = stats.bins.length;
  const zero = stats.min < 0 && stats.max > 0 ? (-stats.min / (stats.max - stats.min)) * n : null;
  if (Number.isNaN(stats.min)) return <p class="muted small">No finite element.</p>;
  const of = (i: number): string => formatNumber(stats.min + ((stats.max - stats.min) * i) / n, 3);
  const tallest = stats.bins.indexOf(most);
  return (
    <figure class="histogram">
      <svg viewBox={`0 0 ${n} ${HEIGHT}`} preserveAspectRatio="none" role="img"
        aria-label={`${label}: histogram from ${formatNumber(stats.min)} to ${formatNumber(stats.max)}, most (${formatCount(most)}) between ${of(tallest)} and ${of(tallest + 1)}`}>
        {Array.from(stats.bins, (count, i) => {
          // A square root keeps rare values visible beside a tall bar.
          const h = count ? Math.max(1.5, HEIGHT * Math.sqrt(count / most)) : 0;
          return <rect key={i} x={i + GAP / 2} y={HEIGHT - h} width={1 - GAP} height={h}><title>{`${of(i)} to ${of(i + 1)}: ${formatCount(count)}`}</title></rect>;
        })}
        {zero !== null && <line x1={zero} x2={zero} y1={0} y2={HEIGHT} vector-effect="non-scaling-stroke" />}
      </svg>
      <figcaption class="number"><span>{formatNumber(stats.min, 3)}</span><span>{formatNumber(stats.max, 3)}</span></figcaption>
    </figure>
  );
}
