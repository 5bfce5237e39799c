// frames.tsx - the recorded steps: choosing one, and comparing it with the one before.
import { setDiff, showFrame } from '../actions';
import { formatCount } from '../lib/format';
import { useApp } from '../state';
import { Button } from '../ui/button';

export function Frames() {
  const n = useApp((s) => s.frames.length);
  const at = useApp((s) => s.frame);
  const step = useApp((s) => s.trace?.step ?? 0);
  const diff = useApp((s) => s.settings.diff);
  const canCompare = useApp((s) => s.previous !== null);
  if (n < 2) return null;
  return (
    <div class="group frames" role="group" aria-label="Recorded steps">
      <Button label="Record before" icon="chevronLeft" disabled={at <= 0} onClick={() => void showFrame(at - 1)} testid="frame-previous" />
      <input type="range" min={0} max={n - 1} value={at} aria-label="Recorded step" aria-valuetext={`record ${at + 1} of ${n}, step ${step}`} data-tip={`Record ${at + 1} of ${n}`}
        onInput={(e) => void showFrame(Number(e.currentTarget.value))} data-testid="frame-slider" />
      <Button label="Record after" icon="chevron" disabled={at >= n - 1} onClick={() => void showFrame(at + 1)} testid="frame-next" />
      <span class="number frame-step">step {formatCount(step)}</span>
      <Button label="Mark what changed since the record before" icon="diff" pressed={diff} disabled={!canCompare && !diff} keys="c" onClick={() => setDiff(!diff)} testid="compare">Compare</Button>
    </div>
  );
}
