// digits.tsx - examples that are images, with what the model says to each: the likeliest class, its probability, and whether it is right.
import { useEffect, useRef } from 'preact/hooks';
import type { Examples } from '@engine/protocol';
import { probabilities } from './boundary';
import { formatPercent } from './format';
import { Icon } from '../ui/icon';

function Image({ pixels, rows, cols }: { pixels: Float32Array; rows: number; cols: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const image = new ImageData(cols, rows);
    let low = Infinity, high = -Infinity;
    for (const v of pixels) {
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    pixels.forEach((v, i) => {
      const shade = 255 * ((v - low) / (high - low || 1));
      image.data.set([shade, shade, shade, 255], 4 * i);
    });
    canvas.current!.getContext('2d')!.putImageData(image, 0, 0);
  }, [pixels, rows, cols]);
  return <canvas ref={canvas} width={cols} height={rows} aria-hidden="true" />;
}

/** Whether the model draws an image of each example, instead of naming its class. */
export const draws = (e: Examples, size: number): boolean => !!e.p && e.p.length === (e.xShape[0] ?? 0) * size;

/** Images and what the model makes of each. */
export function Redrawn({ examples: e, rows, cols }: { examples: Examples; rows: number; cols: number }) {
  const size = rows * cols;
  return (
    <ul class="digits redrawn" data-testid="redrawn">
      {Array.from({ length: e.xShape[0] ?? 0 }, (_, i) => (
        <li key={i} class="digit" aria-label={`example ${i + 1} and its image by the model`}>
          <Image pixels={e.x.subarray(i * size, (i + 1) * size)} rows={rows} cols={cols} />
          <Image pixels={e.p!.subarray(i * size, (i + 1) * size)} rows={rows} cols={cols} />
        </li>
      ))}
    </ul>
  );
}

/** Index of the greatest number. */
export const likeliest = (p: readonly number[]): number => p.reduce((best, v, k) => (v > p[best]! ? k : best), 0);

export function DigitStrip({ examples, rows, cols }: { examples: Examples; rows: number; cols: number }) {
  const n = examples.xShape[0] ?? 0;
  const size = rows * cols;
  const classes = examples.p && examples.pShape.length > 1 ? examples.pShape.at(-1)! : 1;
  return (
    <ul class="digits" data-testid="digits">
      {Array.from({ length: n }, (_, i) => {
        const truth = Math.round(examples.y[i]!);
        const p = examples.p ? probabilities(examples.p, i * classes, classes) : null;
        const said = p ? likeliest(p) : truth;
        const right = said === truth;
        const words = !p ? `a ${truth}` : right ? `${said}, right, ${formatPercent(p[said]!)} sure` : `the model says ${said} (${formatPercent(p[said]!)}), it is ${truth}`;
        return (
          <li key={i} class={right ? 'digit' : 'digit wrong'} aria-label={words} data-tip={words}>
            <Image pixels={examples.x.subarray(i * size, (i + 1) * size)} rows={rows} cols={cols} />
            {p && <span class="digit-said">{right ? said : <><Icon name="close" size={11} /><s>{said}</s>{truth}</>}</span>}
            {p && <span class="digit-bars" aria-hidden="true">{p.map((v, k) => <span key={k} class={k === truth ? 'truth' : k === said ? 'said' : ''} style={{ height: `${Math.max(4, 100 * v)}%` }} />)}</span>}
          </li>
        );
      })}
    </ul>
  );
}
