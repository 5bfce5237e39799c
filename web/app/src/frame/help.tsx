// help.tsx - the help dialog: what the page shows, and its keys.
import { showDialog } from '../actions';
import { Dialog } from '../ui/dialog';
import { type Key, keys } from './keys';

const groups: Key['group'][] = ['Training', 'Timeline', 'Graph', 'Page'];
const names: Record<string, string> = { ' ': 'Space', ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', PageUp: 'Page up', PageDown: 'Page down', Escape: 'Esc' };

export function HelpDialog() {
  return (
    <Dialog title="What you see" wide onClose={() => showDialog(null)} testid="help-dialog">
      <p class="lead">
        A model trains in this page. <b>Inspect</b> stops it and records one step. The line below the graph is that step: first every op runs (<b class="forward">forward</b>), then
        the gradients come back (<b class="backward">backward</b>), then the optimizer changes the parameters (<b class="update">update</b>). Drag it.
      </p>
      <ul class="signs">
        <li><span class="sign-box"><i class="left" /></span> its op has run</li>
        <li><span class="sign-box"><i class="left" /><i class="right" /></span> its gradient has come</li>
        <li><span class="sign-box pill" /> a parameter</li>
        <li><span class="sign-box stack" /> a closed group</li>
      </ul>
      <div class="key-groups">
        {groups.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl class="key-list">
              {keys.filter((k) => k.group === group && k.words).map((k) => (
                <div key={k.words}>
                  <dt>{k.words.startsWith('pan') ? <kbd>← ↑ ↓ →</kbd> : k.keys.map((key) => <kbd key={key}>{names[key] ?? key}</kbd>)}</dt>
                  <dd>{k.words}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p class="quiet">Drag or scroll to pan, Ctrl and scroll or pinch to zoom, click to select, double click to open or close a group.</p>
    </Dialog>
  );
}
