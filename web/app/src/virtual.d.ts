// virtual.d.ts - modules that exist only in the build: see formulas/plugin.ts.
declare module 'virtual:ops' {
  const texts: import('../formulas/texts').OpTexts;
  export default texts;
}

declare module 'virtual:engine-worker' {
  /** The bundled script of the engine's worker. */
  const code: string;
  export default code;
}
