// serve.mjs - serves a folder on 127.0.0.1, with the headers that let a page have threads (cross-origin isolation).
//     node tools/serve.mjs FOLDER [PORT]      PORT 0: any free one; the first line printed is the address
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8', '.json': 'application/json', '.wasm': 'application/wasm', '.svg': 'image/svg+xml',
  '.png': 'image/png', '.ebb': 'text/plain; charset=utf-8', '.ts': 'text/plain; charset=utf-8', '.map': 'application/json',
};
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp', 'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-cache',
};

/** The file below root that a request's path names; null when it is outside or not there. */
function fileOf(root, url) {
  let path;
  try {
    path = decodeURIComponent(new URL(url, 'http://127.0.0.1').pathname);
  } catch {
    return null;
  }
  const file = normalize(join(root, path));
  if (file !== root && !file.startsWith(root + sep)) return null;
  const at = (f) => statSync(f, { throwIfNoEntry: false });
  if (at(file)?.isDirectory()) return at(join(file, 'index.html')) ? join(file, 'index.html') : null;
  return at(file)?.isFile() ? file : null;
}

/** Serves folder; -> { url, close() } */
export function serve(folder, port = 0) {
  const root = resolve(folder);
  const server = createServer((request, response) => {
    const file = request.method === 'GET' || request.method === 'HEAD' ? fileOf(root, request.url) : null;
    if (!file) {
      response.writeHead(404, { 'Content-Type': 'text/plain', ...HEADERS }).end('not found\n');
      return;
    }
    response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', 'Content-Length': statSync(file).size, ...HEADERS });
    if (request.method === 'HEAD') response.end();
    else createReadStream(file).pipe(response);
  });
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => done({
      url: `http://127.0.0.1:${server.address().port}/`,
      close: () => new Promise((closed) => { server.closeAllConnections(); server.close(closed); }),
    }));
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder, port = '8080'] = process.argv.slice(2);
  if (!folder || !/^\d+$/.test(port)) {
    console.error('usage: node tools/serve.mjs FOLDER [PORT]');
    process.exit(2);
  }
  const served = await serve(folder, Number(port)).catch((e) => (e.code === 'EADDRINUSE' ? serve(folder, 0) : Promise.reject(e)));
  console.log(served.url);
}
