// view.tsx - the timeline of the recorded step.
import { scrubTo } from '../actions';
import { useApp } from '../state';

export function Timeline() {
  const length = useApp((s) => s.trace?.events.length ?? 0);
  const time = useApp((s) => s.time);
  return <footer class="timeline"><input type="range" min={0} max={length} value={time} onInput={(e) => scrubTo(Number(e.currentTarget.value))} /></footer>;
}
