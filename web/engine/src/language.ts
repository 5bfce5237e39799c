// language.ts - the model language, records of a training step, plugins and files of parameters, for pages that hold the engine themselves: 'ebb/model'.
export { certify as addPlugin } from './certify.ts';
export { Model, type GradientCheck, type StepResult } from './model.ts';
export { layoutOf, Recording, statsOf, svgOf, TraceFile, traceFile, windowOf } from './record.ts';
export { loadParameters, saveParameters } from './safetensors.ts';
export { decodeTrace, frameCount } from './trace.ts';
export type * from './protocol.ts';
