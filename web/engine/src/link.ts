// link.ts - links a plugin's module to the engine by hand, as a dynamic linker does: a place in memory for its data, places in the table for its
// functions, a stack of its own, addresses for what it refers to, then its relocations.
//
// A plugin is never taken out again: its memory and its places in the table stay.
import type { Inspection } from './plugin.ts';
import type { Wasm } from './wasm.ts';

const STACK = 1 << 20;

/** -> the address of the plugin's entry, for ebb_plugin_add. Throws when it cannot be linked; nothing of it has run then. */
export function link(w: Wasm, module: WebAssembly.Module, about: Inspection): number {
  const align = 2 ** Math.max(about.memoryAlign, 4);
  const data = Math.ceil(w.malloc(about.memory + align) / align) * align;
  w.u8.fill(0, data, data + about.memory);
  const places = about.table ? w.table.grow(about.table) : 0;
  const stack = w.malloc(STACK);
  const i32 = (value: number, mutable = false) => new WebAssembly.Global({ value: 'i32', mutable }, value);
  const mem = new Map<string, WebAssembly.Global>(), func = new Map<string, WebAssembly.Global>();
  const got = (map: Map<string, WebAssembly.Global>, name: string) => {
    const g = i32(0, true);
    map.set(name, g);
    return g;
  };
  const engine = w.x as unknown as Record<string, Function>;
  const env: Record<string, WebAssembly.ImportValue> = {
    memory: w.memory, __indirect_function_table: w.table, __stack_pointer: i32((stack + STACK) & ~15, true), __memory_base: i32(data), __table_base: i32(places),
  };
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = { env, 'GOT.mem': {}, 'GOT.func': {} };
  for (const i of WebAssembly.Module.imports(module)) {
    if (i.module === 'GOT.mem') imports['GOT.mem']![i.name] = got(mem, i.name);
    else if (i.module === 'GOT.func') imports['GOT.func']![i.name] = got(func, i.name);
    else if (i.kind === 'function') env[i.name] = engine[i.name] as WebAssembly.ImportValue;
  }
  const x = new WebAssembly.Instance(module, imports).exports as Record<string, unknown>;
  const address = (name: string) => Number((x[name] as WebAssembly.Global).value) + data;
  for (const [name, g] of mem) g.value = address(name);
  for (const [name, g] of func) g.value = w.slot((x[name] ?? engine[name]) as Function);
  for (const start of ['__wasm_apply_data_relocs', '__wasm_call_ctors']) (x[start] as (() => void) | undefined)?.();
  return address('ebb_plugin_entry');
}
