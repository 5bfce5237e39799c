// vite.config.ts - builds the page: many files for a server, or (mode `single`) one file that opens from a disk.
//
// The engine's modules come from build/web/engine, which web/engine/build.mjs makes.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import preact from '@preact/preset-vite';
import { defineConfig, type Plugin } from 'vite';
import { opTextsPlugin } from './formulas/plugin';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Puts the script and the styles into the page, which is then all that is written. */
const intoOneFile = (): Plugin => ({
  name: 'into-one-file',
  enforce: 'post',
  generateBundle: { order: 'post', handler: (_, bundle) => {
    const page = bundle['index.html'];
    if (page?.type !== 'asset') throw new Error('the build has no index.html');
    let html = String(page.source);
    for (const [name, part] of Object.entries(bundle)) {
      if (part === page) continue;
      delete bundle[name];
      const tag = new RegExp(`<(script|link)[^>]*(src|href)="[^"]*${name.replace(/[.]/g, '\\.')}"[^>]*>(</script>)?`);
      if (part.type === 'chunk') {
        // A script of the page's own must not be ended by a text inside it, and it may only run once the body is there.
        const code = part.code.replace(/<\/script/g, '<\\/script').replace(/<!--/g, '<\\!--');
        if (tag.test(html)) html = html.replace(tag, '').replace('</body>', () => `<script type="module">${code}</script></body>`);
      } else if (name.endsWith('.css')) {
        html = html.replace(tag, () => `<style>${String(part.source)}</style>`);
      }
    }
    page.source = html;
  } },
});

/** The engine's worker as a text in the page. */
const workerAsText = (): Plugin => ({
  name: 'engine-worker',
  resolveId: (id) => (id === 'virtual:engine-worker' ? `\0${id}` : null),
  async load(id) {
    if (id !== '\0virtual:engine-worker') return null;
    const { outputFiles } = await build({ entryPoints: [here('../engine/src/worker.ts')], bundle: true, format: 'esm', target: 'es2022', minify: true, write: false, external: ['node:*'] });
    return `export default ${JSON.stringify(outputFiles[0]!.text)}`;
  },
});

/** What the built page may do: nothing leaves it, nothing but its own files runs in it. (The page that is one file has its script inside.) */
const policy = [
  "default-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data: blob:", "connect-src 'self' data: blob:",
  "worker-src 'self' blob:", "object-src 'none'", "base-uri 'none'", "form-action 'none'",
].join('; ');
const withPolicy = (): Plugin => ({
  name: 'with-policy',
  apply: 'build',
  transformIndexHtml: () => [{ tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy }, injectTo: 'head-prepend' }],
});

export default defineConfig(({ mode }) => {
  const single = mode === 'single';
  return {
    root: here('.'),
    base: './',
    cacheDir: here('../../build/web/vite'),
    plugins: [preact(), opTextsPlugin(new URL('../../', import.meta.url)), ...(single ? [workerAsText(), intoOneFile()] : [withPolicy()])],
    resolve: { alias: { '@engine': here('../engine/src'), '@wasm': here('../../build/web/engine'), '@parts': here(`src/parts.${single ? 'single' : 'files'}.ts`) } },
    worker: { format: 'es' as const },
    build: {
      outDir: here(single ? '../../build/web/app-single' : '../../build/web/app'),
      emptyOutDir: true,
      target: 'es2022',
      modulePreload: { polyfill: false },
      ...(single ? { assetsInlineLimit: Infinity, cssCodeSplit: false, rolldownOptions: { output: { codeSplitting: false } } } : {}),
    },
    server: { host: '127.0.0.1', port: 5173, strictPort: true, fs: { allow: [here('../..')] } },
    preview: { host: '127.0.0.1', port: 4173, strictPort: true },
  };
});
