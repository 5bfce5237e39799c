// view.tsx - the tape below the graph: transport, what happens at this moment, the scrubber, the recorded steps.
import { pauseTimeline, scrubBy, scrubToEnd, scrubToStart, setSettings, toggleTimeline } from '../actions';
import { describeEvent } from '../format';
import { useApp } from '../state';
import { Button } from '../ui/button';
import { Slider } from '../ui/slider';
import { Frames } from './frames';
import { Scrubber } from './scrubber';

/** Playback speeds, events a second. */
const SPEEDS = [1, 2, 4, 8, 12, 20, 40, 80, 160, 400];

function Now() {
  const trace = useApp((s) => s.trace);
  const time = useApp((s) => s.time);
  const mode = useApp((s) => s.mode);
  const playing = useApp((s) => s.playing);
  const length = trace?.events.length ?? 0;
  if (!trace) return <p class="now" />;
  if (mode === 'training') return <p class="now quiet">Training. Inspect shows one step, event by event.</p>;
  const words = time > 0 ? describeEvent(trace, time - 1) : { phase: '', text: 'Before the step. Play, or drag the line below.' };
  return (
    <p class="now" aria-live={playing ? 'off' : 'polite'} data-testid="now">
      <span class="number now-count">{time}/{length}</span>
      {words.phase && <b class={`phase ${words.phase}`}>{words.phase}</b>}
      <span class="now-text">{words.text}</span>
    </p>
  );
}

function Transport() {
  const playing = useApp((s) => s.playing);
  const time = useApp((s) => s.time);
  const length = useApp((s) => s.trace?.events.length ?? 0);
  const speed = useApp((s) => s.settings.speed);
  const none = length === 0;
  const at = Math.max(0, SPEEDS.findIndex((s) => s >= speed));
  return (
    <div class="group transport" role="group" aria-label="Timeline">
      <Button label="To the begin of the step" icon="toStart" keys="Home" disabled={none || time === 0} onClick={scrubToStart} testid="to-start" />
      <Button label="One event back" icon="stepBack" keys="," disabled={none || time === 0} onClick={() => scrubBy(-1)} testid="back" />
      <Button label={playing ? 'Pause the timeline' : 'Play the step'} icon={playing ? 'pause' : 'play'} tone="plain" keys="Space" disabled={none} onClick={playing ? pauseTimeline : toggleTimeline} testid="play" />
      <Button label="One event on" icon="stepForward" keys="." disabled={none || time === length} onClick={() => scrubBy(1)} testid="forward" />
      <Button label="To the end of the step" icon="toEnd" keys="End" disabled={none || time === length} onClick={scrubToEnd} testid="to-end" />
      <Slider label="speed" min={0} max={SPEEDS.length - 1} value={at} text={`${SPEEDS[at]}/s`} onInput={(i) => setSettings({ speed: SPEEDS[i]! })} testid="speed" />
    </div>
  );
}

export function Timeline() {
  return (
    <footer class="timeline" aria-label="Timeline of the recorded step">
      <div class="timeline-row">
        <Transport />
        <Now />
        <Frames />
      </div>
      <Scrubber />
    </footer>
  );
}
