// SPDX-License-Identifier: Apache-2.0
// Serves the bare demo and the library's own production build.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const LIBRARY = 'lightweight-charts.standalone.production.mjs';
const FILES = {
  '/bare.html': ['text/html', new URL('bare.html', import.meta.url)],
  '/bare.mjs': ['text/javascript', new URL('bare.mjs', import.meta.url)],
  [`/${LIBRARY}`]: [
    'text/javascript',
    new URL(`../node_modules/lightweight-charts/dist/${LIBRARY}`, import.meta.url),
  ],
};

export async function startSite() {
  const site = createServer(async (request, response) => {
    const [type, file] = FILES[new URL(request.url, 'http://site').pathname] ?? [];
    if (!file) return void response.writeHead(404).end();
    return void response.writeHead(200, { 'content-type': type }).end(await readFile(file));
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  return { url: `http://127.0.0.1:${site.address().port}`, close: () => site.close() };
}
