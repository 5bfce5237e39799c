// topbar.tsx - the bar above: the model, its training, and what concerns the whole page.
import { inspect, inspectNext, restart, setSettings, showDialog, stepOnce, toggleTraining } from '../actions';
import { FindingsButton } from '../panels/findings';
import { type Theme, useApp } from '../state';
import { Button } from '../ui/button';
import type { IconName } from '../ui/icon';

const nextTheme: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const themeIcon: Record<Theme, IconName> = { system: 'auto', light: 'sun', dark: 'moon' };

export function TopBar() {
  const mode = useApp((s) => s.mode);
  const name = useApp((s) => s.model.name);
  const steps = useApp((s) => s.stepsDone);
  const loss = useApp((s) => s.loss);
  const ready = useApp((s) => s.engine === 'ready');
  const theme = useApp((s) => s.settings.theme);
  const training = mode === 'training';
  return (
    <header class="topbar">
      <h1 class="brand"><svg width="20" height="16" viewBox="0 0 20 16" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" aria-hidden="true"><path d="M1.5 11c3.5-7 6-7 8.5-2.5s5 4.5 8.5-2.5" /></svg><span>ebb</span></h1>
      <div class="group" role="group" aria-label="Training">
        <Button label={training ? 'Pause training' : 'Train'} icon={training ? 'pause' : 'play'} tone="primary" keys="t" disabled={!ready} onClick={toggleTraining} testid="train">{training ? 'Pause' : 'Train'}</Button>
        <Button label="One training step" icon="stepForward" keys="n" disabled={!ready} onClick={() => void stepOnce()} testid="step" />
        <Button label="Start over" icon="restart" disabled={!ready} onClick={() => void restart()} testid="restart" />
        <Button label={mode === 'inspecting' ? 'Inspect the next step' : 'Inspect this step'} icon="inspect" tone="plain" keys="i" disabled={!ready} onClick={() => void (mode === 'inspecting' ? inspectNext() : inspect())} testid="inspect">{mode === 'inspecting' ? 'Next step' : 'Inspect'}</Button>
      </div>
      <dl class="readout">
        <div><dt>step</dt><dd data-testid="steps">{steps.toLocaleString('en')}</dd></div>
        <div><dt>loss</dt><dd data-testid="loss">{Number.isFinite(loss) ? loss.toFixed(4) : '-'}</dd></div>
      </dl>
      <span class="model-name">{name}</span>
      <div class="group">
        <FindingsButton />
        <Button label="Share and save" icon="share" onClick={() => showDialog('share')} testid="share" />
        <Button label={`Colours: ${theme}`} icon={themeIcon[theme]} onClick={() => setSettings({ theme: nextTheme[theme] })} testid="theme" />
        <Button label="Help and keys" icon="help" keys="?" onClick={() => showDialog('help')} testid="help" />
      </div>
    </header>
  );
}
