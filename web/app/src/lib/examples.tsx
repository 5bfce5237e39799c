// examples.tsx - what the model says of examples that are neither points of a plane nor images: rows of tokens, rows of numbers, a curve over one number.
import { useMemo } from 'preact/hooks';
import type { Examples, ModelInfo } from '@engine/protocol';
import { probabilities } from './boundary';
import { likeliest } from './digits';
import { formatNumber } from './format';
import type { Palette } from './palette';
import { type Line, Plot } from './plot';

/** Rows that are shown, and numbers of each. */
const ROWS = 8, WIDE = 6;
const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

export type Kind = 'tokens' | 'curve' | 'classes' | 'none';

/** How these examples can be shown: p holds numbers for each token, one for each number, or those of classes. */
export function kindOf(e: Examples, info: Pick<ModelInfo, 'classes'>): Kind {
  const n = e.xShape[0] ?? 0;
  if (!e.p || n === 0) return 'none';
  const of = e.p.length / n;
  const truths = e.y.length / n;
  if (info.classes > 0 && truths > 1 && of === truths * info.classes) return 'tokens';
  if (info.classes === 0 && product(e.xShape.slice(1)) === 1 && of === 1 && truths === 1) return 'curve';
  if (info.classes > 0 && truths === 1 && (of === info.classes || of === 1)) return 'classes';
  return 'none';
}

function Said({ said, truth }: { said: number; truth: number }) {
  return said === truth ? <span>{said}</span> : <span class="wrong" aria-label={`${said}, wrong: ${truth}`}><s>{said}</s>{truth}</span>;
}

/** Rows of examples: what goes in, and what the model makes of it, with what is right beside it where it is wrong. */
function Rows({ examples: e, kind, classes }: { examples: Examples; kind: 'tokens' | 'classes'; classes: number }) {
  const n = Math.min(ROWS, e.xShape[0]!);
  const width = product(e.xShape.slice(1));
  const truths = e.y.length / e.xShape[0]!;
  const of = e.p!.length / e.y.length;
  return (
    <table class="sequences" data-testid="sequences">
      <thead><tr><th scope="col">input</th><th scope="col">the model says</th></tr></thead>
      <tbody class="number">
        {Array.from({ length: n }, (_, i) => (
          <tr key={i}>
            <td class="sequence">{Array.from(e.x.subarray(i * width, i * width + (kind === 'tokens' ? width : Math.min(WIDE, width))), (v, k) => <span key={k}>{formatNumber(v, 2)}</span>)}</td>
            <td class="sequence">
              {Array.from({ length: truths }, (_, k) => {
                const at = i * truths + k;
                return <Said key={k} truth={Math.round(e.y[at]!)} said={likeliest(probabilities(e.p!, at * of, of === 1 ? 1 : classes))} />;
              })}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Curve({ examples: e, palette }: { examples: Examples; palette: Palette }) {
  const { x, lines } = useMemo(() => {
    const order = Array.from({ length: e.xShape[0]! }, (_, i) => i).sort((a, b) => e.x[a]! - e.x[b]!);
    const drawn: Line[] = [
      { label: 'data', colour: palette.css['ink-3'], values: order.map((i) => e.y[i]!), width: 1, dash: [2, 3] },
      { label: 'model', colour: palette.css.forward, values: order.map((i) => e.p![i]!), width: 2 },
    ];
    return { x: order.map((i) => e.x[i]!), lines: drawn };
  }, [e, palette]);
  return <Plot x={x} lines={lines} along="x" palette={palette} label="What the model says beside the data, over x" testid="curve" />;
}

export function ExampleRows({ examples, info, palette }: { examples: Examples; info: ModelInfo; palette: Palette }) {
  const kind = kindOf(examples, info);
  if (kind === 'none') return null;
  return (
    <section class="section">
      <h4>Examples it was not trained on</h4>
      {kind === 'curve' ? <Curve examples={examples} palette={palette} /> : <Rows examples={examples} kind={kind} classes={info.classes} />}
    </section>
  );
}
