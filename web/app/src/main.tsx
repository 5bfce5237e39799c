// main.tsx - starts the page: settings, the frame, the engine, the first model.
import { render } from 'preact';
import { engineRestarted, loadModel, loadSettings, openLink } from './actions';
import { App } from './app';
import { getEngine } from './engine';
import { paletteChanged } from './graph/palette';
import { firstModel } from './models';
import { app } from './state';
import { watch } from './store';
import { startTooltips } from './ui/tooltip';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/graph.css';

loadSettings();
const showTheme = (): void => {
  document.documentElement.dataset.theme = app.get().settings.theme;
  paletteChanged();
};
showTheme();
watch(app, (s) => s.settings.theme, showTheme);
const root = document.getElementById('app')!;
root.replaceChildren();
render(<App />, root);
startTooltips(document.body);

void getEngine().then(({ engine }) => { engine.onRestart = engineRestarted; }, () => undefined); // a failure is told by whoever asks first
async function open(hash: string): Promise<void> {
  if (!(await openLink(hash))) await loadModel(firstModel.text, { name: firstModel.name });
}

addEventListener('hashchange', () => void openLink(location.hash));
void open(location.hash);
