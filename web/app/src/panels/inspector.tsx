// inspector.tsx - panel: the tensors of what is selected, as pictures and numbers: value, gradient, and the change by the optimizer's step.
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Stats, Trace } from '@engine/protocol';
import { notify, select } from '../actions';
import { tensorName } from '../format';
import { momentsOf } from '../moments';
import { useApp } from '../state';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { Slider } from '../ui/slider';
import { Empty } from '../lib/empty';
import { formatCount, formatIndex, formatNumber, formatShape } from '../lib/format';
import { type Cell, Heatmap, Legend, type View, wholeView, zoomView } from '../lib/heatmap';
import { Histogram } from '../lib/histogram';
import { cellIndex, cellLabel, cellOf, type Grid, isExact, leadingDims, nestedText, ravel, unravel, WRAP } from '../lib/grid';
import { type Palette, usePalette } from '../lib/palette';
import { focus, type Role, type Slice, tensorsOf, useFocus, useSlice } from '../lib/tensors';
import './inspector.css';

interface Figure { id: 'value' | 'grad' | 'change' | 'after'; title: string; slice: Slice; most: number }
/** Which figures show what has happened at the moment the timeline stands at. */
type Present = Record<Figure['id'], boolean>;

function usePresent(trace: Trace, tensor: number): Present {
  const inspecting = useApp((s) => s.mode === 'inspecting');
  const m = momentsOf(trace);
  const value = useApp((s) => m.value[tensor]! < s.time), grad = useApp((s) => m.grad[tensor]! < s.time), stepped = useApp((s) => m.optim < s.time);
  return { value: !inspecting || value, grad: !inspecting || grad, change: !inspecting || stepped, after: !inspecting || stepped };
}

const sizeOf = (s: Stats): number => Math.max(Math.abs(s.min), Math.abs(s.max)) || 0;
const sizeOfGrid = (g: Grid): number => g.values.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 0);

/** After minus before, cell by cell. */
function changeOf(before: Slice, after: Slice): Figure | null {
  const [a, b] = [after.grid, before.grid];
  if (!a || !b || a.rows !== b.rows || a.cols !== b.cols) return null;
  const grid = { ...b, values: b.values.map((v, i) => a.values[i]! - v) };
  return { id: 'change', title: 'change by the step', slice: { stats: after.stats, grid }, most: sizeOfGrid(grid) };
}

/** A view in shares of the grid, so that pictures of different resolution show the same part. */
const toCells = (g: Grid, v: View): View => ({ row: v.row * g.rows, rows: v.rows * g.rows, col: v.col * g.cols, cols: v.cols * g.cols });
const toShares = (g: Grid, v: View): View => ({ row: v.row / g.rows, rows: v.rows / g.rows, col: v.col / g.cols, cols: v.cols / g.cols });
const WHOLE: View = { row: 0, col: 0, rows: 1, cols: 1 };

/** Pictures of few rows stand below each other: side by side they would be lines. */
const isWide = (shape: readonly number[]): boolean => {
  const [cols = 1, rows = 1] = [...shape].reverse();
  return shape.length >= 1 && cols >= 8 * rows && !(shape.length === 1 && cols > WRAP);
};

interface FiguresProps {
  figures: Figure[]; present: Present; shape: number[]; name: string; palette: Palette; height: number;
  view: View; onView(v: View): void;
  pointed: number[] | null; onPoint(index: number[] | null, chosen: boolean): void;
}

function Figures({ figures, present, shape, name, palette, height, view, onView, pointed, onPoint }: FiguresProps) {
  return (
    <div class={isWide(shape) ? 'figures wide' : 'figures'}>
      {figures.map(({ id, title, slice, most }) => (
        <figure key={id} class={present[id] ? `figure ${id}` : `figure ${id} later`}>
          <figcaption>{title}{!present[id] && <span class="muted">: later in this step</span>}</figcaption>
          {slice.grid ? (
            <>
              <Heatmap grid={slice.grid} most={most} palette={palette} label={`${title} of ${name}, ${formatShape(shape)}`} maxHeight={height} testid={`heatmap-${id}`}
                view={toCells(slice.grid, view)} onView={(v) => onView(toShares(slice.grid!, v))} cursor={pointed && cellOf(slice.grid, shape, pointed)}
                onCursor={(cell: Cell | null, chosen) => onPoint(cell && cellIndex(slice.grid!, shape, cell.row, cell.col), chosen)} />
              <Legend most={most} palette={palette} bad={slice.stats.nNan + slice.stats.nInf > 0} format={(v) => formatNumber(v, 3)} />
            </>
          ) : <p class="muted small">This slice is not in the trace file: only the first one is.</p>}
          {id !== 'change' && <Histogram stats={slice.stats} label={title} />}
        </figure>
      ))}
    </div>
  );
}

/** The element that is pointed at, in words. */
function Readout({ figures, shape, pointed }: { figures: Figure[]; shape: number[]; pointed: number[] | null }) {
  const first = figures[0]?.slice.grid;
  const cell = pointed && first ? cellOf(first, shape, pointed) : null;
  return (
    <p class="readout-line number" data-testid="element">
      {cell && first ? (
        <>
          <span>{cellLabel(first, shape, cell.row, cell.col)}</span>
          {figures.map(({ id, title, slice }) => {
            const at = slice.grid && cellOf(slice.grid, shape, pointed!);
            const value = at ? slice.grid!.values[at.row * slice.grid!.cols + at.col] : undefined;
            return value === undefined ? null : <span key={id}><span class="muted">{id === 'value' || id === 'grad' ? title : id}</span> {formatNumber(value, 5)}</span>;
          })}
        </>
      ) : <span class="muted">Point at a cell for its number; click it to use it in the formula.</span>}
    </p>
  );
}

const rows: { title: string; of(s: Stats): string; bad?(s: Stats): boolean }[] = [
  { title: 'min', of: (s) => formatNumber(s.min) },
  { title: 'max', of: (s) => formatNumber(s.max) },
  { title: 'mean', of: (s) => formatNumber(s.mean) },
  { title: 'std', of: (s) => formatNumber(s.std) },
  { title: 'norm', of: (s) => formatNumber(s.norm) },
  { title: 'zero', of: (s) => formatCount(s.nZero) },
  { title: 'NaN', of: (s) => formatCount(s.nNan), bad: (s) => s.nNan > 0 },
  { title: 'infinite', of: (s) => formatCount(s.nInf), bad: (s) => s.nInf > 0 },
];

function Numbers({ figures, shape, onJump }: { figures: Figure[]; shape: number[]; onJump(index: number[]): void }) {
  const shown = figures.filter((f) => f.id !== 'change');
  const bad = shown.find((f) => f.slice.stats.firstBad >= 0);
  return (
    <>
      <table class="numbers" data-testid="stats">
        <thead><tr><td />{shown.map((f) => <th key={f.id} scope="col">{f.title}</th>)}</tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.title}>
              <th scope="row">{row.title}</th>
              {shown.map((f) => <td key={f.id} class={row.bad?.(f.slice.stats) ? 'number bad' : 'number'}>{row.of(f.slice.stats)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
      {bad && (
        <Button label="Show the first element that is not finite" icon="warning" tone="plain" testid="jump-bad" onClick={() => onJump(unravel(shape, bad.slice.stats.firstBad))}>
          {`First bad element ${formatIndex(unravel(shape, bad.slice.stats.firstBad))}`}
        </Button>
      )}
    </>
  );
}

async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify({ tone: 'good', text: `Copied ${what}.` });
  } catch {
    notify({ tone: 'warning', text: 'The browser does not let this page use the clipboard.' });
  }
}

function CopyButtons({ figure, shape }: { figure: Figure; shape: number[] }) {
  const { stats, grid } = figure.slice;
  const whole = stats.elements !== null;
  if (!whole && (!grid || !isExact(grid))) return null;
  const dims = whole ? shape : shape.slice(-2);
  const values = stats.elements ?? grid!.values;
  const what = whole ? `${formatCount(stats.n)} elements` : 'this slice';
  return (
    <>
      <Button label={`Copy ${what} as JSON`} tone="plain" testid="copy-json" onClick={() => void copy(nestedText(dims, values, 'json'), `${what} as JSON`)}>JSON</Button>
      <Button label={`Copy ${what} as NumPy`} tone="plain" testid="copy-numpy" onClick={() => void copy(nestedText(dims, values, 'numpy'), `${what} as NumPy`)}>NumPy</Button>
    </>
  );
}

function TensorView({ trace, tensor, large, onLarge }: { trace: Trace; tensor: number; large: boolean; onLarge?: () => void }) {
  const palette = usePalette();
  const t = trace.tensors[tensor]!;
  const dims = leadingDims(t.shape);
  const [lead, setLead] = useState<number[]>(() => dims.map(() => 0));
  const [view, setView] = useState<View>(WHOLE);
  const [pointed, setPointed] = useState<number[] | null>(null);
  const chosen = useFocus();
  const present = usePresent(trace, tensor);
  const value = useSlice(trace, tensor, 'value', lead);
  const grad = useSlice(trace, tensor, 'grad', lead);
  const after = useSlice(trace, tensor, 'after', lead);
  const figures = useMemo(() => {
    const list: Figure[] = [];
    if (value) list.push({ id: 'value', title: 'value', slice: value, most: sizeOf(value.stats) });
    if (grad) list.push({ id: 'grad', title: 'gradient', slice: grad, most: sizeOf(grad.stats) });
    if (value && after) {
      const change = changeOf(value, after);
      if (change) list.push(change);
      list.push({ id: 'after', title: 'after the step', slice: after, most: value ? sizeOf(value.stats) : 0 });
    }
    return list;
  }, [value?.stats, value?.grid, grad?.stats, grad?.grid, after?.stats, after?.grid]);
  const name = tensorName(trace, tensor);
  const at = pointed ?? (chosen.tensor === tensor ? unravel(t.shape, chosen.element) : null);
  const grid = figures[0]?.slice.grid ?? null;
  const onPoint = (index: number[] | null, isChosen: boolean): void => {
    setPointed(index);
    if (index && isChosen) focus.set({ tensor, element: ravel(t.shape, index) });
  };
  const jump = (index: number[]): void => {
    setLead(index.slice(0, dims.length));
    focus.set({ tensor, element: ravel(t.shape, index) });
    setPointed(null);
  };
  const zoom = (factor: number): void => {
    if (!grid) return;
    const cells = toCells(grid, view);
    const middle = (at && cellOf(grid, t.shape, at)) ?? { row: cells.row + cells.rows / 2 - 0.5, col: cells.col + cells.cols / 2 - 0.5 };
    setView(toShares(grid, zoomView(grid, cells, middle, factor)));
  };
  return (
    <div class={large ? 'tensor-view large' : 'tensor-view'}>
      {dims.map((dim, d) => (
        <Slider key={d} label={`dim ${d}`} min={0} max={dim - 1} value={lead[d]!} text={`${lead[d]} of ${dim}`} testid={`slice-${d}`}
          onInput={(i) => setLead(lead.map((was, k) => (k === d ? i : was)))} />
      ))}
      {!figures.length && <p class="muted">The trace holds no numbers of this tensor: it needs no gradient and nothing was kept of it.</p>}
      <Figures figures={figures} present={present} shape={t.shape} name={name} palette={palette} height={large ? 420 : 200} view={view} onView={setView} pointed={at} onPoint={onPoint} />
      {figures.length > 0 && <Readout figures={figures} shape={t.shape} pointed={at} />}
      <div class="tools" role="group" aria-label="Picture">
        <Button label="Zoom in" icon="plus" onClick={() => zoom(1.8)} testid="zoom-in" />
        <Button label="Zoom out" icon="minus" onClick={() => zoom(1 / 1.8)} />
        <Button label="Show all of it" icon="fit" onClick={() => grid && setView(toShares(grid, wholeView(grid)))} />
        {onLarge && <Button label="Enlarge" icon="inspect" onClick={onLarge} testid="enlarge" />}
        <span class="space" />
        {figures[0] && <CopyButtons figure={figures[0]} shape={t.shape} />}
      </div>
      {grid && !isExact(grid) && <p class="muted small">A cell is the mean of a block of elements{t.shape.length > 2 ? ' of this slice' : ''}; a block with an element that is not finite shows that.</p>}
      <Numbers figures={figures} shape={t.shape} onJump={jump} />
    </div>
  );
}

function Chooser({ trace, roles, tensor, onChoose }: { trace: Trace; roles: Role[]; tensor: number; onChoose(t: number): void }) {
  if (roles.length < 2) return null;
  return (
    <div class="chips" role="group" aria-label="Tensors of this node">
      {roles.map((r) => (
        <button type="button" class="chip" key={`${r.role} ${r.tensor}`} aria-pressed={r.tensor === tensor} onClick={() => onChoose(r.tensor)}>
          <span class="muted">{r.role}</span> {tensorName(trace, r.tensor)}
        </button>
      ))}
    </div>
  );
}

const kinds = { input: 'input', param: 'parameter', const: 'constant', value: 'computed' } as const;

export function InspectorPanel() {
  const trace = useApp((s) => s.trace);
  const selection = useApp((s) => s.selection);
  const roles = useMemo(() => (trace ? tensorsOf(trace, selection) : []), [trace, selection]);
  const [wanted, setWanted] = useState(-1);
  const [large, setLarge] = useState(false);
  useEffect(() => setWanted(-1), [selection]);
  if (!trace) return <Empty title="Nothing is recorded yet.">Press Inspect: one training step is recorded, with the value and the gradient of every tensor in it.</Empty>;
  if (!roles.length) {
    return (
      <Empty title="Select a node of the graph.">
        Its output appears here as a picture: blue is negative, orange positive, and beside it the gradient of the loss with respect to it.
      </Empty>
    );
  }
  const tensor = roles.some((r) => r.tensor === wanted) ? wanted : roles[0]!.tensor;
  const t = trace.tensors[tensor]!;
  const key = `${tensor} ${t.shape.join()}`;
  return (
    <section class="inspector" aria-label="Tensor">
      <header class="panel-head">
        <h3 data-testid="tensor-name">{tensorName(trace, tensor)}</h3>
        <p class="facts">
          <span class="number" data-testid="tensor-shape">{formatShape(t.shape)}</span><span>{t.dtype}</span><span>{kinds[t.kind]}</span>
          {t.needsGrad && t.grad < 0 && <span>no gradient was kept</span>}
        </p>
      </header>
      <Chooser trace={trace} roles={roles} tensor={tensor} onChoose={setWanted} />
      <TensorView key={key} trace={trace} tensor={tensor} large={false} onLarge={() => setLarge(true)} />
      {t.node >= 0 && selection?.kind !== 'node' && (
        <Button label="Select the node that made it" tone="plain" onClick={() => select({ kind: 'node', id: t.node })}>{`Made by ${trace.nodes[t.node]!.op}`}</Button>
      )}
      {large && (
        <Dialog title={`${tensorName(trace, tensor)}  ${formatShape(t.shape)}`} onClose={() => setLarge(false)} wide testid="tensor-dialog">
          <TensorView key={key} trace={trace} tensor={tensor} large />
        </Dialog>
      )}
    </section>
  );
}
