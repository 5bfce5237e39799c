// format.ts - a trace in words: tensors, calls, events, statistics. Numbers and shapes alone are lib/format.ts's.
import type { Stats, Trace } from '@engine/protocol';
import { formatCount, formatNumber } from './lib/format';

/** 12345 -> "12.3 k". */
export function short(n: number): string {
  const units = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']] as const;
  const unit = n < 1e4 ? undefined : units.find(([size]) => n >= size);
  return unit ? `${Number((n / unit[0]).toPrecision(3))} ${unit[1]}` : String(n);
}

export const duration = (seconds: number): string =>
  seconds < 1e-3 ? `${(seconds * 1e6).toFixed(1)} µs` : seconds < 1 ? `${(seconds * 1e3).toFixed(2)} ms` : `${seconds.toFixed(2)} s`;

/** What a tensor is called: its name, or what made it. */
export function tensorName(trace: Trace, id: number): string {
  const tensor = trace.tensors[id];
  if (!tensor) return '';
  if (tensor.name) return tensor.name;
  if (tensor.node >= 0) return trace.nodes[tensor.node]!.op;
  return tensor.kind === 'const' ? 'constant' : tensor.kind;
}

/** "h = relu(x)" of node `id`. */
export function call(trace: Trace, id: number): string {
  const node = trace.nodes[id]!;
  const given: string[] = [];
  for (let k = node.input; k < node.input + node.nIn; k++) {
    const { tensor } = trace.inputs[k]!;
    if (tensor >= 0) given.push(tensorName(trace, tensor));
  }
  if (node.attrs) given.push(node.attrs);
  return `${node.label ? `${node.label} = ` : ''}${node.op}(${given.join(', ')})`;
}

export interface EventWords { phase: string; text: string }

/** What event `i` did. */
export function describeEvent(trace: Trace, i: number): EventWords {
  const event = trace.events[i];
  if (!event) return { phase: '', text: '' };
  switch (event.kind) {
    case 'forward': return { phase: 'forward', text: call(trace, event.node) };
    case 'backward': return { phase: 'backward', text: `starts at ${tensorName(trace, event.tensor)}: its gradient is 1` };
    case 'rule': {
      const operand = trace.inputs[event.input]?.tensor ?? -1;
      return { phase: 'backward', text: `${trace.nodes[event.node]!.op} gives ${operand >= 0 ? tensorName(trace, operand) : 'its operand'} its gradient` };
    }
    case 'leaf': return { phase: 'backward', text: `the gradient of ${tensorName(trace, event.tensor)} is complete` };
    case 'step': return { phase: 'update', text: 'the optimizer changes the parameters' };
  }
}

/** "mean 0.12, std 1, from -2 to 3", with what is wrong first. */
export function statsWords(s: Stats): string {
  const bad = [s.nNan ? `${formatCount(s.nNan)} NaN` : '', s.nInf ? `${formatCount(s.nInf)} infinite` : ''].filter(Boolean).join(', ');
  const rest = s.n === 1 ? formatNumber(s.mean) : `mean ${formatNumber(s.mean)}, std ${formatNumber(s.std)}, from ${formatNumber(s.min)} to ${formatNumber(s.max)}`;
  return bad ? (s.nNan + s.nInf === s.n ? bad : `${bad}; ${rest}`) : rest;
}
