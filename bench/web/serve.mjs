// serve.mjs - the pages of the web benchmark on 127.0.0.1, isolated from other origins, which makes the browser's clock exact.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** files: path -> file; for each of `scripts`, /name.html is a page that runs /name.js. -> { origin, close } */
export async function serve(files, scripts) {
  const pages = new Map(scripts.map((s) => [`/${s}.html`, `<!doctype html><link rel="icon" href="data:,"><title>${s}</title><script type="module" src="/${s}.js"></script>`]));
  const server = createServer((request, response) => {
    const at = new URL(request.url ?? '/', 'http://localhost').pathname, file = files.get(at), page = pages.get(at);
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.setHeader('Cache-Control', 'no-store');
    if (!file && !page) { response.writeHead(404).end(); return; }
    response.writeHead(200, { 'Content-Type': TYPES[path.extname(at)] ?? 'application/octet-stream' }).end(page ?? readFileSync(file));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
