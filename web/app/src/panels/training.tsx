// training.tsx - panel: how the training goes: curves, update ratios, what the model says of its data, speed and memory.
import { useMemo, useState } from 'preact/hooks';
import { setSettings, setThreads } from '../actions';
import type { Curves } from '../curves';
import { getEngine, threadsPossible } from '../engine';
import { app, useApp } from '../state';
import { Slider } from '../ui/slider';
import { BoundaryPicture } from '../lib/boundary';
import { smooth, thin } from '../lib/curve';
import { DigitStrip, draws, Redrawn } from '../lib/digits';
import { ExampleRows } from '../lib/examples';
import { Empty } from '../lib/empty';
import { formatBytes, formatCount, formatNumber } from '../lib/format';
import { type Palette, usePalette } from '../lib/palette';
import { type Line, Plot } from '../lib/plot';
import { useEvery, usePolled } from '../lib/throttle';
import { UpdateRatios } from '../lib/ratios';
import './training.css';

/** Nothing here is drawn more often. */
const EVERY_MS = 120;
const MOST_POINTS = 700;
const metricColours = ['forward', 'backward', 'optim', 'accent'] as const;

interface Drawn { x: Float64Array; loss: Float64Array; smoothLoss: Float64Array; metrics: Float64Array[]; gradNorm: Float64Array }

/** The columns thinned for the screen. */
function drawn(c: Curves, weight: number): Drawn {
  const smoothLoss = smooth(c.loss.subarray(0, c.length), weight);
  const places = thin(c.loss, c.length, MOST_POINTS);
  const take = (from: Float64Array): Float64Array => Float64Array.from(places, (i) => from[i]!);
  return { x: take(c.step), loss: take(c.loss), smoothLoss: take(smoothLoss), metrics: c.metrics.map((m) => take(smooth(m.subarray(0, c.length), weight))), gradNorm: take(c.gradNorm) };
}

function Curve({ palette }: { palette: Palette }) {
  const version = useEvery(useApp((s) => s.curvesVersion), EVERY_MS);
  const names = useApp((s) => s.model.info?.metrics);
  const [log, setLog] = useState(false);
  const [weight, setWeight] = useState(0.6);
  const { curves } = app.get();
  const d = useMemo(() => drawn(curves, weight), [curves, version, weight]);
  const last = curves.length - 1;
  const lossLines: Line[] = useMemo(() => [
    { label: 'each step', colour: palette.css.forward, values: d.loss, width: 1, faint: weight > 0 },
    ...(weight > 0 ? [{ label: 'loss', colour: palette.css.forward, values: d.smoothLoss, width: 2 }] : []),
  ], [d, palette, weight]);
  const metricLines = useMemo(() => d.metrics.map((values, i): Line => ({ label: names?.[i] ?? '', colour: palette.css[metricColours[i % metricColours.length]!], values, width: 2 })), [d, palette, names]);
  const normLines = useMemo((): Line[] => [{ label: 'gradient norm', colour: palette.css.backward, values: d.gradNorm, width: 1.2 }], [d, palette]);
  return (
    <>
      <section class="section">
        <h4>Loss</h4>
        <Plot x={d.x} lines={lossLines} palette={palette} log={log} testid="loss-plot" label={`Loss over ${last + 1} recorded steps, now ${formatNumber(curves.loss[last] ?? NaN)}`} />
        <div class="plot-tools">
          <label class="check"><input type="checkbox" checked={log} onChange={(e) => setLog(e.currentTarget.checked)} data-testid="log-scale" /> log scale</label>
          <Slider label="smoothing" min={0} max={0.98} step={0.02} value={weight} text={weight.toFixed(2)} onInput={setWeight} testid="smoothing" />
        </div>
      </section>
      {metricLines.length > 0 && (
        <section class="section">
          <h4>Metrics, on the training batch</h4>
          <Plot x={d.x} lines={metricLines} palette={palette} height={110} testid="metric-plot" label={metricLines.map((l) => `${l.label} now ${formatNumber(l.values[l.values.length - 1] ?? NaN)}`).join(', ')} />
        </section>
      )}
      <section class="section">
        <h4>Gradient norm, of all parameters together</h4>
        <Plot x={d.x} lines={normLines} palette={palette} log height={100} testid="norm-plot" label={`Gradient norm, now ${formatNumber(curves.gradNorm[last] ?? NaN)}`} />
      </section>
    </>
  );
}

function Ratios() {
  useEvery(useApp((s) => s.curvesVersion), 250);
  const names = useApp((s) => s.model.info?.parameterNames);
  const { ratios } = app.get().curves;
  if (!names || !ratios.length) return null;
  return (
    <section class="section">
      <h4>Update of each parameter: |step| / |W|</h4>
      <UpdateRatios names={names} ratios={ratios} />
    </section>
  );
}

/** What the model says of its data now: the plane, or images. */
function Seen({ palette }: { palette: Palette }) {
  const info = useApp((s) => s.model.info);
  const steps = useApp((s) => s.stepsDone);
  const generation = info?.generation;
  const plane = usePolled(async () => (info?.plane && info.predict ? (await getEngine()).engine.call('boundary', { cols: 48, rows: 48 }) : null), [steps, generation], 200);
  const images = !!info && info.imageRows > 0;
  const rest = !!info && !info.plane && info.nHeld > 0;
  const examples = usePolled(async () => (rest ? (await getEngine()).engine.call('examples', { held: true, first: 0, n: Math.min(info.nHeld, images ? 24 : 120), predict: !!info.predict }) : null), [steps, generation], 400);
  if (info?.plane && info.predict) return <section class="section"><h4>What the model says of the plane</h4><BoundaryPicture boundary={plane} palette={palette} /></section>;
  if (!info || !examples || info.plane) return null;
  if (!images) return <ExampleRows examples={examples} info={info} palette={palette} />;
  const redrawn = draws(examples, info.imageRows * info.imageCols);
  return (
    <section class="section">
      <h4>Examples it was not trained on</h4>
      {redrawn ? <Redrawn examples={examples} rows={info.imageRows} cols={info.imageCols} /> : <DigitStrip examples={examples} rows={info.imageRows} cols={info.imageCols} />}
      <p class="muted small">
        {redrawn ? 'On the left the example, on the right what the model makes of it.'
          : 'The number is what the model says. Where it is wrong, that is struck through and the right one stands beside it. Bars are the probabilities of the classes.'}
        {info.dataset === 'digits' && ' Digits: E. Alpaydin and C. Kaynak, 1998, CC BY 4.0.'}
      </p>
    </section>
  );
}

function HeldOut() {
  const info = useApp((s) => s.model.info);
  const steps = useApp((s) => s.stepsDone);
  const held = usePolled(async () => (info && info.nHeld > 0 ? { ...(await (await getEngine()).engine.call('evaluate', {})), at: app.get().stepsDone } : null), [steps, info?.generation], 1500);
  if (!info || !held || held.metrics.length !== info.metrics.length) return null;
  return (
    <section class="section">
      <h4>{`On ${formatCount(info.nHeld)} examples held back`}</h4>
      <dl class="tiles" data-testid="held-out">
        <div><dt>loss</dt><dd class="number">{formatNumber(held.loss)}</dd></div>
        {info.metrics.map((name, i) => <div key={name}><dt>{name}</dt><dd class="number">{formatNumber(held.metrics[i]!)}</dd></div>)}
      </dl>
    </section>
  );
}

/** Positions of the slider: steps a second; the last one is as fast as possible. */
const PACES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 0];

function Facts() {
  const version = useEvery(useApp((s) => s.curvesVersion), EVERY_MS);
  const info = useApp((s) => s.model.info);
  const pace = useApp((s) => s.settings.pace);
  const many = useApp((s) => s.settings.threads);
  const threads = usePolled(async () => (await (await getEngine()).engine.call('about', {})).threads, [info?.generation], 0) ?? 1;
  const memory = usePolled(async () => (await getEngine()).engine.call('memory', {}), [version], 2000);
  const { curves, stepsPerSecond, stepsDone } = app.get();
  const last = curves.length - 1;
  const facts: [string, string][] = [
    [info?.steps ? `steps of ${formatCount(info.steps)}` : 'steps', formatCount(stepsDone)],
    ['steps a second', stepsPerSecond ? formatCount(Math.round(stepsPerSecond)) : '-'],
    ['learning rate', last >= 0 ? formatNumber(curves.lr[last]!, 3) : '-'],
    ['parameters', info ? formatCount(info.parameters) : '-'],
    ['batch', info ? formatCount(info.batch) : '-'],
    [memory ? `memory of ${formatBytes(memory.wasm)}` : 'memory', memory ? formatBytes(memory.inUse) : '-'],
  ];
  return (
    <section class="section">
      <dl class="tiles">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd class="number">{value}</dd></div>)}</dl>
      <Slider label="speed" min={0} max={PACES.length - 1} value={Math.max(0, PACES.indexOf(pace))} testid="pace" onInput={(i) => setSettings({ pace: PACES[i]! })}
        text={pace ? `${formatCount(pace)} ${pace === 1 ? 'step' : 'steps'} a second` : 'as fast as it can'} />
      <div class="plot-tools">
        <span class="number" data-testid="threads">{threads === 1 ? 'one thread' : `${threads} threads`}</span>
        {threadsPossible() && <label class="check"><input type="checkbox" checked={many} onChange={(e) => void setThreads(e.currentTarget.checked)} data-testid="many-threads" /> all cores for large models</label>}
      </div>
    </section>
  );
}

export function TrainingPanel() {
  const info = useApp((s) => s.model.info);
  const palette = usePalette();
  if (!info) return <Empty title="No model is loaded.">Choose one of the models, or write one.</Empty>;
  if (!info.trains) return <Empty title="This model does not train.">Its text has no train statement: it is run once. Add a line such as <code>train adamw lr=1e-2 steps=500</code>.</Empty>;
  return (
    <div class="training">
      <Facts />
      <Seen key={info.generation} palette={palette} />
      <Curve palette={palette} />
      <HeldOut key={`held ${info.generation}`} />
      <Ratios />
    </div>
  );
}
