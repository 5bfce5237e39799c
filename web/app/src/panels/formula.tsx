// formula.tsx - panel: what the selected node computes: formula and derivatives, the numbers of one element in them, checks of the gradient.
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Trace } from '@engine/protocol';
import { select } from '../actions';
import { tensorName } from '../format';
import { useApp } from '../state';
import { work } from '../lib/calculate';
import { type Around, around, isElementwise, numbersOf, operandNames, type Products, products, reader } from '../lib/element';
import { Empty } from '../lib/empty';
import { formatNumber, formatShape } from '../lib/format';
import { unravel } from '../lib/grid';
import { Formula, useOpTexts } from '../lib/mathml';
import { focus, useFocus } from '../lib/tensors';
import type { FormulaRow, OpTexts } from '../../formulas/texts';
import { GradientCheck } from './gradcheck';
import './formula.css';

function Rows({ math, rows }: { math: string; rows: FormulaRow[] | undefined }) {
  if (!math) return <p class="muted">This op declares no formula.</p>;
  if (!rows) return <pre class="verbatim" data-testid="formula">{math.split(/;\s*/).join('\n')}</pre>;
  const forward = rows.filter((r) => !r.back), back = rows.filter((r) => r.back);
  return (
    <div class="formula" data-testid="formula" aria-label={math}>
      <div class="formula-rows forward">{forward.map((r, i) => <Formula key={i} markup={r.markup} />)}</div>
      {back.length > 0 && (
        <div class="formula-rows backward">
          <p class="muted small">backward, with g the gradient that comes in</p>
          {back.map((r, i) => <Formula key={i} markup={r.markup} />)}
        </div>
      )}
    </div>
  );
}

/** Asks for numbers anew when `keys` change; those before stay until then, and an answer that comes too late is dropped. */
function useAnswer<T>(ask: () => Promise<T>, keys: unknown[]): T | null {
  const [answer, set] = useState<T | null>(null);
  useEffect(() => {
    let current = true;
    ask().then((a) => { if (current) set(() => a); }, () => undefined);
    return () => { current = false; };
  }, keys);
  return answer;
}

/** True when a formula that was worked out by hand tells what the engine computed (f32 rounding apart). */
const agrees = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 + 2e-3 * Math.max(Math.abs(a), Math.abs(b));

function WorkedRows({ at, rows, attrs, op }: { at: Around; rows: FormulaRow[]; attrs: string; op: OpTexts['ops'][string] | undefined }) {
  const numbers = numbersOf(at, rows, attrs, op);
  const lines = rows.flatMap((row, i) => {
    const worked = row.computed && work(row.computed, numbers);
    if (!worked) return [];
    const target = row.computed!.target;
    const operand = at.operands.find((o) => `d${o.name}` === target);
    const recorded = i === 0 ? at.value : operand && !operand.stretched ? operand.grad : NaN;
    // What the formula says of other cases (a loss's mean, say) must not be shown as this element's.
    if (Number.isFinite(recorded) && !agrees(worked.value, recorded)) return [];
    return [{ target, worked, back: row.back, stretched: operand?.stretched ?? false }];
  });
  if (!lines.length) return null;
  return (
    <ul class="worked" data-testid="worked">
      {lines.map(({ target, worked, back, stretched }) => (
        <li key={target} class={back ? 'backward' : 'forward'}>
          <span class="number">{`${target} = ${worked.text}${worked.text === formatNumber(worked.value, 4) ? '' : ` = ${formatNumber(worked.value, 4)}`}`}</span>
          {worked.when && <span class="muted small">{` since ${worked.when}`}</span>}
          {stretched && <span class="muted small"> (added to the other elements it was broadcast to)</span>}
        </li>
      ))}
    </ul>
  );
}

function Sum({ sum: { left, right, sum } }: { sum: Products }) {
  const terms = [...left].map((a, k) => ({ k, a, b: right[k]!, product: a * right[k]! })).sort((p, q) => Math.abs(q.product) - Math.abs(p.product));
  const most = Math.abs(terms[0]?.product ?? 0) || 1;
  const shown = terms.slice(0, 8);
  const rest = terms.slice(8).reduce((s, t) => s + t.product, 0);
  return (
    <table class="terms" data-testid="terms">
      <caption class="muted small">{`A row times a column: the sum of ${terms.length} products, the largest first`}</caption>
      <tbody class="number">
        {shown.map((t) => (
          <tr key={t.k}>
            <th scope="row">{`k = ${t.k}`}</th>
            <td>{formatNumber(t.a, 3)}</td><td>{'\u00b7'}</td><td>{formatNumber(t.b, 3)}</td>
            <td class="bar-cell"><span class={t.product < 0 ? 'bar negative' : 'bar positive'} style={{ width: `${(50 * Math.abs(t.product)) / most}%` }} /></td>
            <td>{formatNumber(t.product, 3)}</td>
          </tr>
        ))}
        {terms.length > 8 && <tr><th scope="row" colSpan={5}>{`the other ${terms.length - 8}`}</th><td>{formatNumber(rest, 3)}</td></tr>}
        <tr class="total"><th scope="row" colSpan={5}>together</th><td>{formatNumber(sum, 4)}</td></tr>
      </tbody>
    </table>
  );
}

function ElementNumbers({ trace, node, rows, texts }: { trace: Trace; node: number; rows: FormulaRow[] | undefined; texts: OpTexts | null }) {
  const live = useApp((s) => s.frames[s.frame]?.live ?? false);
  const n = trace.nodes[node]!;
  const out = trace.tensors[n.firstOut]!;
  const count = out.shape.reduce((a, b) => a * b, 1);
  const chosen = useFocus();
  const element = chosen.tensor === n.firstOut ? Math.min(chosen.element, count - 1) : 0;
  const index = unravel(out.shape, element);
  const names = useMemo(() => operandNames(rows), [rows]);
  const at = useAnswer(() => around(trace, node, element, reader(trace, live), names), [trace, node, element, live, names]);
  const sum = useAnswer(() => products(trace, node, element, live), [trace, node, element, live]);
  if (!count) return null;
  const move = (d: number, i: number): void => {
    const next = index.map((was, k) => (k === d ? Math.min(out.shape[d]! - 1, Math.max(0, i)) : was));
    focus.set({ tensor: n.firstOut, element: next.reduce((place, v, k) => place * out.shape[k]! + v, 0) });
  };
  return (
    <section class="section">
      <h4>One element in numbers</h4>
      {index.length > 0 && (
        <div class="element-index" role="group" aria-label="Element of the output">
          <span>element</span>
          {index.map((i, d) => (
            <input key={d} type="number" class="number" min={0} max={out.shape[d]! - 1} value={i} aria-label={`index in dim ${d}`} data-testid={`element-${d}`}
              onInput={(e) => move(d, Math.trunc(Number(e.currentTarget.value) || 0))} />
          ))}
          <span class="muted small">of {formatShape(out.shape)}</span>
        </div>
      )}
      {at && (
        <>
          <dl class="around">
            {at.operands.map((o, i) => <div key={i}><dt>{o.name ? `${o.name}, ` : ''}{tensorName(trace, o.tensor)}</dt><dd class="number">{formatNumber(o.value, 5)}</dd></div>)}
            <div class="forward"><dt>output</dt><dd class="number">{formatNumber(at.value, 5)}</dd></div>
            {Number.isFinite(at.incoming) && <div class="backward"><dt>gradient that comes in, g</dt><dd class="number">{formatNumber(at.incoming, 5)}</dd></div>}
            {at.operands.filter((o) => Number.isFinite(o.grad)).map((o, i) => (
              <div key={`d${i}`} class="backward"><dt>gradient to {o.name || tensorName(trace, o.tensor)}</dt><dd class="number">{formatNumber(o.grad, 5)}</dd></div>
            ))}
          </dl>
          {rows && isElementwise(trace, node) && <WorkedRows at={at} rows={rows} attrs={n.attrs} op={texts?.ops[n.op]} />}
        </>
      )}
      {sum && at && agrees(sum.sum, at.value) && <Sum sum={sum} />}
    </section>
  );
}

function NodeFormula({ trace, node }: { trace: Trace; node: number }) {
  const texts = useOpTexts();
  const n = trace.nodes[node]!;
  const about = texts?.ops[n.op];
  // The lean engine leaves texts out: those of the build stand in. What a plugin declares is in no build and is shown as it is.
  const math = n.math || about?.math || '';
  const rows = texts?.formulas[math];
  return (
    <>
      <header class="panel-head">
        <h3>{n.op}{n.label && <span class="muted"> {n.label}</span>}</h3>
        {n.attrs && <p class="facts number">{n.attrs}</p>}
        {about?.doc && <p class="about">{about.doc}</p>}
        {about?.ref && <p class="muted small">{about.ref}</p>}
      </header>
      {texts ? <Rows math={math} rows={rows} /> : <p class="muted">Loading the formula.</p>}
      <ElementNumbers trace={trace} node={node} rows={rows} texts={texts} />
      <GradientCheck key={`${n.op} ${node}`} trace={trace} node={node} />
    </>
  );
}

/** The parts of a composed op or a region, to choose from. */
function GroupParts({ trace, group }: { trace: Trace; group: number }) {
  const g = trace.groups[group]!;
  const parts = trace.nodes.slice(g.first, g.last);
  return (
    <>
      <header class="panel-head">
        <h3>{g.name}</h3>
        <p class="about">{g.kind === 'op' ? 'An op made of other ops. Its derivative is made of theirs.' : `${parts.length} ops.`}{g.nTwins > 1 && ` It is one of ${g.nTwins} rounds that look alike.`}</p>
      </header>
      <div class="chips">
        {parts.slice(0, 60).map((n, i) => (
          <button type="button" class="chip" key={i} onClick={() => select({ kind: 'node', id: g.first + i })}>{n.op}{n.label && <span class="muted"> {n.label}</span>}</button>
        ))}
      </div>
    </>
  );
}

export function FormulaPanel() {
  const trace = useApp((s) => s.trace);
  const selection = useApp((s) => s.selection);
  const node = !trace || !selection ? -1 : selection.kind === 'node' ? selection.id : selection.kind === 'tensor' ? (trace.tensors[selection.id]?.node ?? -1) : -1;
  if (trace && selection?.kind === 'group' && trace.groups[selection.id]) return <GroupParts trace={trace} group={selection.id} />;
  if (!trace || !trace.nodes[node]) {
    return (
      <Empty title={trace && selection ? 'A leaf is computed by no op.' : 'Select a node of the graph.'}>
        Its formula and its derivatives appear here, with the numbers of one element put into them, and the gradient can be checked against differences.
      </Empty>
    );
  }
  return <div class="formula-panel"><NodeFormula key={node} trace={trace} node={node} /></div>;
}
