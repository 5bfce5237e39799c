// plugin.ts - looks at a plugin's bytes before anything of them runs: is it a module, a side module of emscripten's kind, an ebb plugin, and does the
// engine have what it imports? What cannot be seen here (a function of another type) the browser refuses when the module is linked, also before
// anything runs.

/** What is known of a plugin's file from looking at it. `problem`: why it cannot be loaded, "" when it may be tried. */
export interface Inspection { problem: string; imports: string[]; exports: string[]; memory: number; memoryAlign: number; table: number; hash: string; bytes: number }

const MOST_BYTES = 8 << 20, MOST_MEMORY = 16 << 20, MOST_TABLE = 65536;
/** Names that emscripten exports by itself. */
const OWN = /^(__wasm_call_ctors|__wasm_apply_data_relocs|_initialize|__dso_handle|orig\$.*)$/;
const ENTRY = 'ebb_plugin_entry';

/** Reads numbers of a module's binary form. */
class Reader {
  readonly #b: Uint8Array;
  at: number;
  readonly end: number;
  constructor(bytes: Uint8Array, at = 0, end = bytes.length) { this.#b = bytes; this.at = at; this.end = end; }
  byte(): number {
    if (this.at >= this.end) throw new Error('it is cut short');
    return this.#b[this.at++]!;
  }
  leb(): number {
    let v = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const b = this.byte();
      v += (b & 0x7f) * 2 ** shift;
      if (!(b & 0x80)) return v;
    }
    throw new Error('a number in it is too long');
  }
}

interface Dylink { memory: number; memoryAlign: number; table: number; needed: number }
/** The section that says how much memory and table a side module wants. */
function dylink(section: ArrayBuffer): Dylink {
  const r = new Reader(new Uint8Array(section)), d: Dylink = { memory: 0, memoryAlign: 0, table: 0, needed: 0 };
  while (r.at < r.end) {
    const kind = r.byte(), size = r.leb(), next = r.at + size;
    if (next > r.end) throw new Error('its dylink.0 section is cut short');
    if (kind === 1) { d.memory = r.leb(); d.memoryAlign = r.leb(); d.table = r.leb(); r.leb(); }
    if (kind === 2) d.needed = r.leb();
    r.at = next;
  }
  return d;
}

export async function sha256(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join('');
}

/** What a side module may import beside functions of the engine. */
const LINKER = new Set(['env.memory', 'env.__indirect_function_table', 'env.__stack_pointer', 'env.__memory_base', 'env.__table_base']);

/** Why a module with these imports and exports is no plugin for a host that offers these functions; "" when it may be one. */
function refuse(module: WebAssembly.Module, offers: (name: string) => boolean, d: Dylink): string {
  const imports = WebAssembly.Module.imports(module), exports = WebAssembly.Module.exports(module), own = new Set(exports.map((e) => e.name));
  const entry = exports.find((e) => e.name === ENTRY);
  if (!entry) return 'it has no ebb_plugin_entry (EBB_PLUGIN writes it)';
  if (entry.kind !== 'global') return `its ebb_plugin_entry is a ${entry.kind}, not the constant that EBB_PLUGIN writes`;
  const extra = exports.filter((e) => e.name !== ENTRY && !OWN.test(e.name)).map((e) => e.name);
  if (extra.length) return `it exports more than ebb_plugin_entry: ${extra.join(', ')}; compile it with -fvisibility=hidden`;
  const missing = imports.filter((i) => {
    if (LINKER.has(`${i.module}.${i.name}`)) return false;
    if (i.module === 'GOT.mem' || i.module === 'GOT.func') return i.kind !== 'global' || !(own.has(i.name) || (i.module === 'GOT.func' && offers(i.name)));
    return i.module !== 'env' || i.kind !== 'function' || !offers(i.name);
  });
  if (missing.length) return `it imports what this engine does not have: ${missing.map((i) => i.name).join(', ')}`;
  if (d.needed) return 'it needs another library beside the engine';
  if (d.memory > MOST_MEMORY) return `it wants ${d.memory} bytes of memory for its data, ${MOST_MEMORY} are allowed`;
  if (d.table > MOST_TABLE) return `it wants ${d.table} places for functions, ${MOST_TABLE} are allowed`;
  return '';
}

/** Looks at a dropped file. `module` is there when it may be tried. */
export async function inspect(bytes: ArrayBuffer, offers: (name: string) => boolean): Promise<Inspection & { module: WebAssembly.Module | null }> {
  const all = new Uint8Array(bytes), none = { imports: [], exports: [], memory: 0, memoryAlign: 0, table: 0, module: null };
  const known = { hash: await sha256(bytes), bytes: all.length };
  const not = (problem: string) => ({ ...none, ...known, problem });
  if (all[0] !== 0 || all[1] !== 0x61 || all[2] !== 0x73 || all[3] !== 0x6d) return not('it is not a WebAssembly module (./dev plugin FILE.c builds one)');
  if (all.length > MOST_BYTES) return not(`it has ${all.length} bytes, ${MOST_BYTES} are allowed`);
  try {
    const module = await WebAssembly.compile(bytes), sections = WebAssembly.Module.customSections(module, 'dylink.0');
    if (!sections.length) return not('it is a module, but not one that can be linked to another (emcc -sSIDE_MODULE=2 makes those)');
    const d = dylink(sections[0]!), problem = refuse(module, offers, d);
    return {
      ...known, problem, module: problem ? null : module, memory: d.memory, memoryAlign: d.memoryAlign, table: d.table,
      imports: WebAssembly.Module.imports(module).filter((i) => i.module === 'env' && i.kind === 'function').map((i) => i.name),
      exports: WebAssembly.Module.exports(module).map((e) => e.name),
    };
  } catch (e) {
    return not(`it cannot be compiled: ${(e as Error).message}`);
  }
}
