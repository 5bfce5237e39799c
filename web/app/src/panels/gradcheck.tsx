// gradcheck.tsx - part of the formula panel: a node's derivative beside central differences, and the verifier's checks of its op.
import { useState } from 'preact/hooks';
import type { CheckLine, Derivative, Trace } from '@engine/protocol';
import { failureOf } from '../actions';
import { getEngine } from '../engine';
import { tensorName } from '../format';
import { useApp } from '../state';
import { Button } from '../ui/button';
import { Icon } from '../ui/icon';
import { formatNumber } from '../lib/format';

type Asked<T> = { state: 'asking' } | { state: 'done'; answer: T } | { state: 'failed'; message: string };

/** Runs a request when told to, and remembers what became of it. */
function useRequest<T>(): [Asked<T> | null, (ask: () => Promise<T>) => void] {
  const [asked, set] = useState<Asked<T> | null>(null);
  const start = (ask: () => Promise<T>): void => {
    set({ state: 'asking' });
    ask().then((answer) => set({ state: 'done', answer }), (e: unknown) => set({ state: 'failed', message: failureOf(e).message }));
  };
  return [asked, start];
}

/** Errors are far below what is allowed: the bar is logarithmic, from 1e-10 of it to all of it. */
const barShare = (share: number): number => Math.min(1, Math.max(0, share > 0 ? 1 + Math.log10(share) / 10 : 0));

function Differences({ d }: { d: Derivative }) {
  const failed = d.rows.filter((r) => !r.passed).length;
  return (
    <>
      <p class={failed ? 'verdict wrong' : 'verdict good'} role="status" data-testid="derivative-verdict">
        <Icon name={failed ? 'warning' : 'check'} />
        {failed ? `${failed} of ${d.rows.length} elements differ from the differences by more than is allowed.` : `All ${d.rows.length} elements agree with central differences.`}
      </p>
      <table class="numbers derivative" data-testid="derivative">
        <thead><tr><th scope="col">element</th><th scope="col">rule</th><th scope="col">differences</th><th scope="col">error / allowed</th></tr></thead>
        <tbody class="number">
          {d.rows.map((r) => {
            const share = r.allowed > 0 ? Math.abs(r.analytic - r.numeric) / r.allowed : 0;
            return (
              <tr key={r.element}>
                <th scope="row">{r.element}</th><td>{formatNumber(r.analytic, 5)}</td><td>{formatNumber(r.numeric, 5)}</td>
                <td class="error-cell">
                  <span class="error-track"><span class={r.passed ? 'error-bar' : 'error-bar wrong'} style={{ width: `${100 * barShare(share)}%` }} /></span>
                  <span class={r.passed ? '' : 'bad'}>{formatNumber(share, 2)}</span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </>
  );
}

const marks = { passed: 'check', failed: 'warning', skipped: 'minus' } as const;

export function CheckList({ checks }: { checks: CheckLine[] }) {
  return (
    <ul class="checks" data-testid="checks">
      {checks.map((c, i) => (
        <li key={i} class={c.result}>
          <Icon name={marks[c.result]} />
          <span class="check-name">{c.check}{c.dtype && <span class="muted"> {c.dtype}</span>}</span>
          <span class="muted small number">{c.result === 'skipped' ? 'skipped' : `${c.cases} ${c.cases === 1 ? 'case' : 'cases'}`}</span>
          {c.message && <span class="check-message">{c.message}</span>}
        </li>
      ))}
    </ul>
  );
}

export function GradientCheck({ trace, node }: { trace: Trace; node: number }) {
  const live = useApp((s) => s.frames[s.frame]?.live ?? false);
  const [derivative, askDerivative] = useRequest<Derivative>();
  const [verified, askVerify] = useRequest<{ ok: boolean; checks: CheckLine[] }>();
  const n = trace.nodes[node]!;
  const operands = Array.from({ length: n.nIn }, (_, operand) => ({ operand, tensor: trace.inputs[n.input + operand]!.tensor })).filter(({ tensor }) => trace.tensors[tensor]?.dtype.startsWith('f'));
  return (
    <section class="section">
      <h4>Check this gradient</h4>
      <p class="muted small">The op's derivative at these very inputs, in double precision, beside central differences.</p>
      <div class="chips" role="group" aria-label="Operand">
        {operands.map(({ operand, tensor }) => (
          <button type="button" class="chip" key={operand} disabled={!live} data-testid={`check-operand-${operand}`}
            onClick={() => askDerivative(async () => (await getEngine()).engine.call('derivative', { node, operand, most: 10 }))}>
            <span class="muted">with respect to</span> {tensorName(trace, tensor)}
          </button>
        ))}
      </div>
      {!live && <p class="muted small">This step is no longer in the engine's memory: record the next one to check it.</p>}
      {derivative?.state === 'asking' && <p class="muted" role="status">Computing differences.</p>}
      {derivative?.state === 'failed' && <pre class="verbatim" role="alert">{derivative.message}</pre>}
      {derivative?.state === 'done' && <Differences d={derivative.answer} />}
      <div>
        <Button label="Run the verifier's twenty checks on this op" tone="plain" icon="check" testid="verify-op" disabled={verified?.state === 'asking'}
          onClick={() => askVerify(async () => (await getEngine()).engine.verify(n.op))}>{`Verify ${n.op} fully`}</Button>
      </div>
      {verified?.state === 'asking' && <p class="muted" role="status">{`Loading the verifier and checking ${n.op}.`}</p>}
      {verified?.state === 'failed' && <pre class="verbatim" role="alert">{verified.message}</pre>}
      {verified?.state === 'done' && (
        <>
          <p class={verified.answer.ok ? 'verdict good' : 'verdict wrong'} role="status">
            <Icon name={verified.answer.ok ? 'check' : 'warning'} />
            {verified.answer.ok ? `${n.op} passed every check.` : `${n.op} failed a check.`}
          </p>
          <CheckList checks={verified.answer.checks} />
        </>
      )}
    </section>
  );
}
