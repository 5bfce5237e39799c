// findings.tsx - panel: what goes wrong in the recorded step, the worst first, with ways to where it is.
import { useMemo } from 'preact/hooks';
import type { Finding, Trace } from '@engine/protocol';
import { select, showPanel } from '../actions';
import { tensorName } from '../format';
import { type State, useApp } from '../state';
import { Button } from '../ui/button';
import { Empty } from '../lib/empty';
import { FindingCard, severities } from '../lib/finding';
import './findings.css';

/** For the tab: warnings and errors. */
export const findingsBadge = (s: State): number => s.trace?.findings.filter((f) => f.severity !== 'note').length ?? 0;

/** In the bar above, when there is something to see. */
export function FindingsButton() {
  const n = useApp(findingsBadge);
  if (!n) return null;
  const label = `${n} ${n === 1 ? 'finding' : 'findings'} in the recorded step`;
  return (
    <Button label={label} icon="warning" tone="plain" testid="findings-button" onClick={() => showPanel('right', 'findings')}>
      {n}<span class="hidden-text"> {n === 1 ? 'finding' : 'findings'}</span>
    </Button>
  );
}

function Places({ trace, finding: f }: { trace: Trace; finding: Finding }) {
  const tensor = trace.tensors[f.tensor];
  const node = trace.nodes[f.node] ?? (tensor ? trace.nodes[tensor.node] : undefined);
  const line = node?.line ?? 0;
  const showTensor = (): void => {
    select({ kind: 'tensor', id: f.tensor });
    showPanel('right', 'inspector');
  };
  const showLine = (): void => {
    select({ kind: 'node', id: trace.nodes.indexOf(node!) });
    showPanel('left', 'editor');
  };
  return (
    <>
      {node && <Button label={`Select ${node.op} in the graph`} tone="plain" icon="map" onClick={() => select({ kind: 'node', id: trace.nodes.indexOf(node) })}>{node.label || node.op}</Button>}
      {tensor && <Button label="Show this tensor" tone="plain" icon="grid" onClick={showTensor}>{tensorName(trace, f.tensor)}</Button>}
      {line > 0 && <Button label={`Show line ${line} of the model`} tone="plain" icon="code" onClick={showLine}>{`line ${line}`}</Button>}
    </>
  );
}

export function FindingsPanel() {
  const trace = useApp((s) => s.trace);
  const sorted = useMemo(() => [...(trace?.findings ?? [])].sort((a, b) => severities[a.severity].order - severities[b.severity].order), [trace]);
  if (!trace) {
    return (
      <Empty title="Nothing is recorded yet.">
        Every recorded step is searched for what commonly goes wrong: gradients that vanish or explode, units that are dead, numbers that are none.
      </Empty>
    );
  }
  if (!sorted.length) {
    return (
      <Empty title={`Nothing is wrong with step ${trace.step}.`}>
        It was searched for gradients that vanish or explode, dead units, saturated activations, updates that are too small or too large, and
        numbers that are none. The mistakes of the gallery show each.
      </Empty>
    );
  }
  return (
    <section class="findings" aria-label={`Findings of step ${trace.step}`}>
      <p class="muted small">{`Step ${trace.step}: ${sorted.length} ${sorted.length === 1 ? 'finding' : 'findings'}`}</p>
      {sorted.map((f, i) => <FindingCard key={`${f.code} ${i}`} finding={f}><Places trace={trace} finding={f} /></FindingCard>)}
    </section>
  );
}
