// imports.js: looks at what a WebAssembly plugin imports before it is loaded (called from core/plugin.c).
//
// A missing import does not fail dlopen: it throws at its first call, and a throw cannot be caught in C. So the names are
// compared with what this program offers beforehand. A dlopen that failed leaves its path marked as loaded: forget undoes it.
mergeInto(LibraryManager.library, {
  ebb__wasm_missing__deps: ['$FS', '$stringToNewUTF8'],
  ebb__wasm_missing: function (path) {
    const linker = ['memory', '__indirect_function_table', '__memory_base', '__table_base', '__stack_pointer'];
    const offered = (name) => name in asmLibraryArg || name in Module['asm'];
    try {
      const module = new WebAssembly.Module(FS.readFile(UTF8ToString(path)));
      const own = WebAssembly.Module.exports(module).map((e) => e.name);
      if (!own.includes('ebb_plugin_entry')) return stringToNewUTF8('!it has no ebb_plugin_entry (EBB_PLUGIN writes it)');
      const missing = WebAssembly.Module.imports(module)
        .filter((i) => i.module === 'env' ? !linker.includes(i.name) && !offered(i.name) : !offered(i.name) && !own.includes(i.name))
        .map((i) => i.name);
      return missing.length ? stringToNewUTF8(missing.join(', ')) : 0;
    } catch (e) {
      return stringToNewUTF8('!it is not a WebAssembly module that can be compiled: ' + e.message);
    }
  },
  ebb__wasm_forget__deps: ['$LDSO'],
  ebb__wasm_forget: function (path) {
    const name = UTF8ToString(path);
    const lib = LDSO.loadedLibsByName[name];
    if (!lib) return;
    delete LDSO.loadedLibsByName[name];
    if (lib.handle) delete LDSO.loadedLibsByHandle[lib.handle];
  },
});
