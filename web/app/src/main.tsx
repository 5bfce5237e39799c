// main.tsx - starts the page: settings, the frame, the engine, the first model.
import { render } from 'preact';
import { engineRestarted, loadModel, loadSettings, openLink } from './actions';
import { App, openSides } from './app';
import { getEngine } from './engine';
import { paletteChanged } from './graph/palette';
import { firstModel } from './models';
import { app } from './state';
import { watch } from './store';
import { loadTheRest } from './ui/lazy';
import { isNarrow } from './ui/narrow';
import { startTooltips } from './ui/tooltip';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/graph.css';

async function begin(): Promise<void> {
  const { engine } = await getEngine();
  engine.onRestart = engineRestarted;
  if (!(await openLink(location.hash))) await loadModel(firstModel.text, { name: firstModel.name });
  await loadTheRest();
  app.set({ complete: true });
}

function showTheme(): void {
  document.documentElement.dataset.theme = app.get().settings.theme;
  paletteChanged();
}

loadSettings();
showTheme();
watch(app, (s) => s.settings.theme, showTheme);
openSides(isNarrow());
// The engine loads in its worker while the page is drawn: in a frame of its own, after the empty places of index.html were seen.
void begin();
requestAnimationFrame(() => {
  const root = document.getElementById('app')!;
  root.replaceChildren();
  render(<App />, root);
  startTooltips(document.body);
});
addEventListener('hashchange', () => void openLink(location.hash));
