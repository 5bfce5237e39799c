// legend.tsx - what the colours on the graph mean just now: gradients on the edges, ancestors, changes.
import { goTo, select, setDiff, setSettings, traceLineage } from '../actions';
import type { Change, DiffKind } from '../diff';
import { tensorName } from '../format';
import { formatNumber } from '../lib/format';
import type { FlowSign } from '../scale';
import { app, type Ref, useApp } from '../state';
import { Button } from '../ui/button';
import { flowDash } from './wires';

const signs: [FlowSign, string][] = [['positive', 'mean above 0'], ['negative', 'mean below 0'], ['mixed', 'mean near 0'], ['vanished', 'vanished'], ['bad', 'NaN or infinite']];

function FlowLegend() {
  return (
    <div class="card flow-legend" role="note" aria-label="Legend of the gradients" data-testid="legend">
      <header><h2>Gradient on each edge</h2><Button label="Hide the gradients" icon="close" onClick={() => setSettings({ flow: false })} /></header>
      <ul>
        {signs.map(([sign, words]) => (
          <li key={sign}>
            <svg width="34" height="8" aria-hidden="true"><line x1="1" x2="33" y1="4" y2="4" class={`flow ${sign}`} stroke-dasharray={flowDash[sign].join(' ')} /></svg>
            {words}
          </li>
        ))}
        <li><svg width="34" height="10" aria-hidden="true"><path d="M1 5L33 1v8z" class="flow-width" /></svg> norm, 1e-6 to 10</li>
      </ul>
    </div>
  );
}

const refOfChange = (c: Change): Ref => {
  const node = app.get().trace?.tensors[c.tensor]?.node ?? -1;
  return node >= 0 ? { kind: 'node', id: node } : { kind: 'tensor', id: c.tensor };
};

const kinds: [DiffKind, string][] = [['grad', 'Gradients'], ['param', 'Parameters'], ['value', 'Values']];

function Changes() {
  const diff = useApp((s) => s.diff);
  const trace = useApp((s) => s.trace);
  const previous = useApp((s) => s.previous);
  const kind = useApp((s) => s.settings.diffKind);
  if (!diff || !trace || !previous) return null;
  return (
    <section class="card changes" aria-label="What changed most" data-testid="changes">
      <header><h2>Changed from step {previous.step} to {trace.step}</h2><Button label="Hide the changes" icon="close" onClick={() => setDiff(false)} /></header>
      <div class="group" role="group" aria-label="What is compared">
        {kinds.map(([id, words]) => <Button key={id} label={words} pressed={id === kind} onClick={() => setSettings({ diffKind: id })} testid={`diff-${id}`}>{words}</Button>)}
      </div>
      {diff.most.length === 0 && <p class="quiet">Nothing changed.</p>}
      <ol>
        {diff.most.slice(0, 12).map((c) => (
          <li key={c.tensor}>
            <button type="button" class="row" onClick={() => void goTo(refOfChange(c))}>
              <span class="row-name">{tensorName(trace, c.tensor)}</span>
              <span class="number">{Number.isFinite(c.amount) ? `${formatNumber(100 * c.amount, 3)} %` : 'new'}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function LineageChip() {
  const lineage = useApp((s) => s.lineage);
  if (!lineage) return null;
  const nodes = lineage.nodes.reduce((a, b) => a + b, 0);
  return (
    <div class="card status-chip" role="status" data-testid="lineage">
      {lineage.direction === 'up' ? 'Leads to the selection' : 'Follows from the selection'}: {nodes} {nodes === 1 ? 'op' : 'ops'}
      <Button label="Show everything again" icon="close" onClick={() => traceLineage(null)} />
    </div>
  );
}

function SelectionChip() {
  const selection = useApp((s) => s.selection);
  const lineage = useApp((s) => s.lineage);
  if (!selection || lineage) return null;
  return (
    <div class="card status-chip" role="group" aria-label="Selection">
      <Button label="What leads to the selection" icon="up" keys="u" onClick={() => traceLineage('up')} testid="upstream">Upstream</Button>
      <Button label="What the selection leads to" icon="down" keys="d" onClick={() => traceLineage('down')} testid="downstream">Downstream</Button>
      <Button label="Let go of the selection" icon="close" keys="Escape" onClick={() => select(null)} />
    </div>
  );
}

export function Legends() {
  const flow = useApp((s) => s.settings.flow);
  return (
    <div class="legends">
      <LineageChip />
      <SelectionChip />
      <Changes />
      {flow && <FlowLegend />}
    </div>
  );
}
