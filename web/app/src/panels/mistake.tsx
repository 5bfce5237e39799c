// mistake.tsx - part of the gallery: one mistake and its repair train side by side, with the line that differs and what the engine finds.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { pause, play } from '../actions';
import { app } from '../state';
import { useStore } from '../store';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { type Contest, type Contestant, startContest } from '../lib/contest';
import { smooth, thin } from '../lib/curve';
import { diffLines } from '../lib/diff';
import { FindingCard, severities } from '../lib/finding';
import { formatCount, formatNumber } from '../lib/format';
import { type Mistake, opening } from '../lib/gallery';
import { usePalette } from '../lib/palette';
import { type Line, Plot } from '../lib/plot';
import { useEvery } from '../lib/throttle';

type Side = 'broken' | 'fixed';
const words: Record<Side, string> = { broken: 'With the mistake', fixed: 'Repaired' };
const POINTS = 300;

/** Losses of both by step, in one table of steps. */
function bothCurves(a: Contestant, b: Contestant): { x: Float64Array; left: Float64Array; right: Float64Array } {
  const longer = a.curves.length >= b.curves.length ? a.curves : b.curves;
  const places = thin(longer.loss, longer.length, POINTS);
  const take = (c: Contestant): Float64Array => {
    const values = smooth(c.curves.loss.subarray(0, c.curves.length), 0.5);
    return Float64Array.from(places, (i) => values[i] ?? NaN);
  };
  return { x: Float64Array.from(places, (i) => longer.step[i]!), left: take(a), right: take(b) };
}

function Curves({ contest }: { contest: Contest }) {
  const palette = usePalette();
  const a = useStore(contest.sides[0], (s) => s), b = useStore(contest.sides[1], (s) => s);
  const version = useEvery(a.version + b.version, 120);
  const [log, setLog] = useState(true);
  const data = useMemo(() => bothCurves(a, b), [version]);
  const lines = useMemo((): Line[] => [
    { label: words.broken.toLowerCase(), colour: palette.css.bad, values: data.left, width: 2, dash: [5, 3] },
    { label: words.fixed.toLowerCase(), colour: palette.css.forward, values: data.right, width: 2 },
  ], [data, palette]);
  return (
    <div>
      <Plot x={data.x} lines={lines} palette={palette} log={log} height={180} testid="mistake-plot"
        label={`Losses: with the mistake ${formatNumber(data.left.at(-1) ?? NaN)}, repaired ${formatNumber(data.right.at(-1) ?? NaN)}`} />
      <label class="check small"><input type="checkbox" checked={log} onChange={(e) => setLog(e.currentTarget.checked)} /> log scale</label>
    </div>
  );
}

function Summary({ side, contest, onOpen }: { side: Side; contest: Contest; onOpen(): void }) {
  const c = useStore(contest.sides[side === 'broken' ? 0 : 1], (s) => s);
  useEvery(c.version, 120);
  const last = c.curves.length - 1;
  const metric = c.info?.metrics[0];
  const findings = [...c.findings].sort((p, q) => severities[p.severity].order - severities[q.severity].order);
  return (
    <div role="group" class={`contestant ${side}`} aria-label={words[side]} data-testid={`contestant-${side}`}>
      <h3>{words[side]}</h3>
      <dl class="tiles">
        <div><dt>step</dt><dd class="number">{last >= 0 ? formatCount(c.curves.step[last]!) : '0'}{c.info?.steps ? ` of ${formatCount(c.info.steps)}` : ''}</dd></div>
        <div><dt>loss</dt><dd class="number">{formatNumber(last >= 0 ? c.curves.loss[last]! : NaN)}</dd></div>
        <div><dt>gradient norm</dt><dd class="number">{formatNumber(last >= 0 ? c.curves.gradNorm[last]! : NaN, 3)}</dd></div>
        {metric && <div><dt>{c.metrics.length ? `${metric}, held out` : metric}</dt><dd class="number">{formatNumber(c.metrics[0] ?? (last >= 0 ? c.curves.metrics[0]![last]! : NaN), 3)}</dd></div>}
      </dl>
      {c.failure && <p class="verdict wrong"><Icon name="warning" />{c.failure}</p>}
      {findings.map((f) => <FindingCard key={f.code} finding={f} />)}
      {!findings.length && <p class="muted small">{c.state === 'done' ? 'The engine finds nothing wrong in its steps.' : c.state === 'starting' ? 'Starting an engine.' : 'Training.'}</p>}
      <Button label={`Open in the editor: ${words[side].toLowerCase()}`} tone="plain" icon="code" testid={`open-${side}`} onClick={onOpen}>Open in the editor</Button>
    </div>
  );
}

function Difference({ mistake }: { mistake: Mistake }) {
  const rows = useMemo(() => diffLines(opening(mistake.broken).rest, opening(mistake.fixed).rest), [mistake]);
  return (
    <table class="diff" data-testid="diff">
      <caption class="hidden-text">The two texts, line by line; lines that differ are marked.</caption>
      <thead><tr><th scope="col">{words.broken}</th><th scope="col">{words.fixed}</th></tr></thead>
      <tbody>
        {rows.map((r, i) => (
          <tr key={i} class={r.same ? '' : 'differs'}>
            <td class={r.same ? '' : 'removed'}><pre>{r.left === null ? '' : `${r.same ? ' ' : '\u2212'} ${r.left}`}</pre></td>
            <td class={r.same ? '' : 'added'}><pre>{r.right === null ? '' : `${r.same ? ' ' : '+'} ${r.right}`}</pre></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function MistakeDialog({ mistake, onClose, onOpen }: { mistake: Mistake; onClose(): void; onOpen(text: string, name: string): void }) {
  const [contest, setContest] = useState<Contest | null>(null);
  useEffect(() => {
    const wasTraining = app.get().mode === 'training';
    void pause();
    const started = startContest(mistake.broken, mistake.fixed);
    setContest(started);
    return () => {
      started.stop();
      if (wasTraining) play();
    };
  }, [mistake]);
  return (
    <Dialog title={mistake.title} onClose={onClose} wide testid="mistake-dialog">
      <div class="mistake-body">
        <dl class="mistake-words">
          {([['What goes wrong', mistake.wrong], ['Why', mistake.why], ['The fix', mistake.fix], ['Watch', mistake.watch]] as const).filter(([, text]) => text)
            .map(([name, text]) => <div key={name}><dt>{name}</dt><dd>{text}</dd></div>)}
        </dl>
        {contest && <Curves contest={contest} />}
        {contest && (
          <div class="contestants">
            <Summary side="broken" contest={contest} onOpen={() => onOpen(mistake.broken, `${mistake.id}_broken`)} />
            <Summary side="fixed" contest={contest} onOpen={() => onOpen(mistake.fixed, `${mistake.id}_fixed`)} />
          </div>
        )}
        <Difference mistake={mistake} />
      </div>
    </Dialog>
  );
}
