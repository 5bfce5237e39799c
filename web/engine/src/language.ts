// language.ts - the model language and records of a training step, for pages that hold the engine themselves: import beside 'ebb'.
export { Model, type StepResult } from './model.ts';
export { layoutOf, Recording, statsOf, svgOf, TraceFile, traceFile, windowOf } from './record.ts';
export { decodeTrace, frameCount } from './trace.ts';
export type * from './protocol.ts';
