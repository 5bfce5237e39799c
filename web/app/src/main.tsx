// main.tsx - starts the page: settings, the frame, the engine, the first model.
import { render } from 'preact';
import { loadModel, loadSettings } from './actions';
import { App } from './app';
import { firstModel } from './models';
import { startTooltips } from './ui/tooltip';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/graph.css';

loadSettings();
render(<App />, document.getElementById('app')!);
startTooltips(document.body);
void loadModel(firstModel.text, { name: firstModel.name });
