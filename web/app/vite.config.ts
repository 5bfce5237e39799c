// vite.config.ts - builds the page: many files for a server, or (mode `single`) one file that opens from a disk.
import { fileURLToPath } from 'node:url';
import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';
import { opTextsPlugin } from './formulas/plugin';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ mode }) => ({
  root: here('.'),
  base: './',
  plugins: [preact(), opTextsPlugin(new URL('../../', import.meta.url))],
  resolve: { alias: { '@engine': here('../engine/src') } },
  build: {
    outDir: here(mode === 'single' ? '../../build/web/app-single' : '../../build/web/app'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
  },
  server: { host: '127.0.0.1', port: 5173, strictPort: true, fs: { allow: [here('../..')] } },
  preview: { host: '127.0.0.1', port: 4173, strictPort: true },
}));
