// ratios.tsx - how far each parameter moves in a step, relative to its size: bars on a logarithmic scale, with the band that usually trains well.
import { formatNumber } from './format';

const LOW = -7, HIGH = 0;
/** What usually trains well; below it is slow, above it is restless. */
export const HEALTHY: readonly [number, number] = [1e-4, 1e-2];
const share = (ratio: number): number => Math.min(1, Math.max(0, (Math.log10(ratio) - LOW) / (HIGH - LOW)));

export function verdictOf(ratio: number): string {
  if (!Number.isFinite(ratio)) return 'not finite';
  if (ratio === 0) return 'does not move';
  return ratio < HEALTHY[0] ? 'slow' : ratio > HEALTHY[1] ? 'large' : 'healthy';
}

export function UpdateRatios({ names, ratios }: { names: readonly string[]; ratios: ArrayLike<number> }) {
  const band = { left: `${100 * share(HEALTHY[0])}%`, width: `${100 * (share(HEALTHY[1]) - share(HEALTHY[0]))}%` };
  return (
    <div class="ratios" data-testid="ratios">
      <table>
        <tbody>
          {names.map((name, i) => {
            const ratio = ratios[i] ?? NaN;
            const verdict = verdictOf(ratio);
            return (
              <tr key={name}>
                <th scope="row" title={name}>{name}</th>
                <td class="ratio-cell">
                  <span class="ratio-track">
                    <span class="ratio-band" style={band} />
                    <span class={verdict === 'healthy' ? 'ratio-bar' : 'ratio-bar off'} style={{ width: `${ratio > 0 ? 100 * share(ratio) : 0}%` }} />
                  </span>
                </td>
                <td class="number">{formatNumber(ratio, 2)}</td>
                <td class={verdict === 'healthy' ? 'muted' : 'ratio-off'}>{verdict}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="muted small">From 1e-7 to 1 on a logarithmic scale; the shaded band, 1e-4 to 1e-2, is where training usually goes well.</p>
    </div>
  );
}
