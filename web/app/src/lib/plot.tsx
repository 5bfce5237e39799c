// plot.tsx - curves over steps, drawn by uPlot (loaded when the first one is shown) in the page's colours.
import { useEffect, useRef, useState } from 'preact/hooks';
import type UPlot from 'uplot';
import type { AlignedData, Options } from 'uplot';
import { formatNumber } from './format';
import type { Palette } from './palette';

export interface Line { label: string; colour: string; values: ArrayLike<number>; width?: number; faint?: boolean; dash?: number[] }

interface Props {
  x: ArrayLike<number>;
  lines: Line[];
  palette: Palette;
  /** For screen readers: what is drawn, with the last numbers. */
  label: string;
  /** What the axis below counts; steps when not given. */
  along?: string;
  log?: boolean;
  height?: number;
  /** Fixed ends of the axis of values. */
  range?: [number, number];
  testid?: string;
}

let library: Promise<typeof UPlot> | null = null;
const loadPlot = (): Promise<typeof UPlot> => (library ??= Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]).then(([m]) => m.default));

const positive = (values: ArrayLike<number>): (number | null)[] => Array.from(values, (v) => (v > 0 && Number.isFinite(v) ? v : null));
const finite = (values: ArrayLike<number>): (number | null)[] => Array.from(values, (v) => (Number.isFinite(v) ? v : null));
const dataOf = ({ x, lines, log }: Props): AlignedData => [Array.from(x), ...lines.map((l) => (log ? positive : finite)(l.values))];

/** Powers of ten of a logarithmic axis, at most about five. */
function powers(_: UPlot, __: number, low: number, high: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  const by = Math.max(1, Math.ceil((last - first) / 4));
  const marks = Array.from({ length: Math.max(0, Math.floor((last - first) / by) + 1) }, (_, i) => 10 ** (first + i * by));
  return marks.length > 1 ? marks : [low, high];
}

function optionsOf({ lines, palette, log, height = 150, range }: Props, width: number): Options {
  const axis = { stroke: palette.css['ink-3'], grid: { stroke: palette.css.line, width: 1 }, ticks: { show: false }, font: '11px ui-sans-serif, system-ui, sans-serif' };
  const short = (_: UPlot, values: (number | null)[]): string[] => values.map((v) => (v === null ? '' : formatNumber(v, 3)));
  return {
    width, height, legend: { show: false }, padding: [8, 14, 0, 0],
    cursor: { drag: { x: false, y: false }, points: { size: 6 }, y: false },
    scales: { x: { time: false }, y: { distr: log ? 3 : 1, ...(range ? { range } : {}) } },
    axes: [{ ...axis, size: 24, values: short, space: 60 }, { ...axis, size: 46, values: short, space: 28, ...(log ? { incrs: [1e60], splits: powers, filter: (_: UPlot, marks: number[]) => marks } : {}) }],
    series: [{}, ...lines.map((l) => ({ label: l.label, stroke: l.colour, width: l.width ?? 1.5, alpha: l.faint ? 0.3 : 1, points: { show: false }, ...(l.dash ? { dash: l.dash } : {}) }))],
  };
}

/** The values under the pointer, or the last ones. */
function Readings({ x, lines, along, at }: { x: ArrayLike<number>; lines: Line[]; along: string; at: number | null }) {
  const i = at ?? x.length - 1;
  const reading = (values: ArrayLike<number>): number => {
    let k = i;
    // A curve that ended earlier says its last value.
    while (at === null && k > 0 && Number.isNaN(values[k])) k--;
    return values[k] ?? NaN;
  };
  return (
    <p class="readings number" aria-hidden="true">
      <span class="muted">{x.length ? `${along} ${formatNumber(x[i] ?? 0)}` : ''}</span>
      {x.length > 0 && lines.filter((l) => !l.faint).map((l) => (
        <span key={l.label}><span class="swatch" style={{ background: l.colour }} />{l.label} {formatNumber(reading(l.values), 4)}</span>
      ))}
    </p>
  );
}

export function Plot(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState<number | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const { lines, palette, log, height, range } = props;
  const shape = `${lines.map((l) => l.label + l.colour + (l.faint ? 'f' : '')).join()} ${log} ${height} ${range} ${palette.css.line}`;

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (width < 40) return;
    let current = true;
    void loadPlot().then((Library) => {
      if (!current || !box.current) return;
      const options = optionsOf(latest.current, width);
      plot.current = new Library({ ...options, hooks: { setCursor: [(u) => setAt(u.cursor.idx ?? null)] } }, dataOf(latest.current), box.current);
    });
    return () => {
      current = false;
      plot.current?.destroy();
      plot.current = null;
    };
  }, [width, shape]);
  useEffect(() => plot.current?.setData(dataOf(latest.current)), [props.x, lines]);

  return (
    <div class="plot" role="img" aria-label={props.label} data-testid={props.testid}>
      <Readings x={props.x} lines={lines} along={props.along ?? 'step'} at={at} />
      <div ref={box} style={{ height: `${height ?? 150}px` }} onPointerLeave={() => setAt(null)} />
    </div>
  );
}
