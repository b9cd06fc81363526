// SPDX-License-Identifier: Apache-2.0
// A stand-in for `stofka serve`: the built page, the API of DESIGN §4 over a made-up market, and
// faults on demand (POST /mock). For working on the page; the real program is the judge.
//   node e2e/mock-server.mjs [port]
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { byCode, candleAt, decimal, markets, tickerAt, windowOf } from './mock-market.mjs';
import { INTERVALS, MockStreams } from './mock-streams.mjs';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const TICK_MS = 250;
// The hash allows the one style element that lightweight-charts makes for its logo.
const CSP =
  "default-src 'self'; style-src 'self' 'sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY='; " +
  "object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

const error = (name, message) => JSON.stringify({ error: { name, message } });

function candles(url, now, cursor) {
  const market = byCode.get(url.searchParams.get('code'));
  const interval = url.searchParams.get('interval') ?? '1m';
  if (!market) return [404, error('unknown_market', 'no such market')];
  if (!INTERVALS.includes(interval)) return [400, error('invalid_parameter', 'interval')];
  const count = Math.min(1000, Number(url.searchParams.get('count') ?? 200));
  const to = url.searchParams.get('to');
  const rows = [];
  let at = to ? Date.parse(to) / 1000 - 0.5 : now;
  const headers = { 'stofka-cursor': cursor };
  while (rows.length < count && at >= market.begin) {
    const candle = candleAt(market, interval, at, now);
    if (candle) rows.push(candle);
    at = windowOf(interval, at)[0] - 0.5;
  }
  if (at < market.begin) headers['stofka-beginning'] = 'true';
  return [200, `[${rows.join(',')}]`, headers];
}

/** An answer with some rows changed, as text: the numbers must stay what they are, to the last digit. */
function changed([code, content, headers], times, change) {
  const told = content.replace(/\{[^}]*\}/g, (row) =>
    times.some((time) => row.includes(`_utc":"${time}"`)) ? change(row) : row,
  );
  return [code, told, headers];
}

const differ = (row) => row.replace(/(?<="high_price":[\d.]+)0(?=,)/, '1'); // the last digit
/** What the store says of such a candle once it was changed. */
export const repair = (row) => row.replace('"closed","rev":1', '"repaired","rev":3');

function marketList(now) {
  const rows = markets.map(
    (market) =>
      `{"code":"${market.code}","korean_name":"${market.korean}",` +
      `"english_name":"${market.english}","tick_size":${decimal(market.tick)},"listed":true,` +
      `"ticker":${tickerAt(market, now, 'SNAPSHOT')}}`,
  );
  return [200, `[${rows.join(',')}]`];
}

async function file(path) {
  const name = normalize(path === '/' ? '/index.html' : path);
  try {
    const content = await readFile(join(DIST, name));
    const kept = name.startsWith('/assets/') ? 'max-age=31536000, immutable' : 'no-cache';
    const type = TYPES[extname(name)] ?? 'application/octet-stream';
    return [200, content, { 'content-type': type, 'cache-control': kept }];
  } catch {
    return [404, error('not_found', path)];
  }
}

async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}

/** `change`: of the world, see below, from the start on. */
/** Tells the mock at `url` something for its `control`. */
export const tellMock = (url, what) =>
  fetch(`${url}/mock`, { method: 'POST', body: JSON.stringify(what) });

export function startMock(port = 0, change = {}) {
  const world = {
    epoch: 'm1',
    status: { exchange: 'live' },
    refuseStreams: false, // 503, as when there are too many
    unreachable: false, // connections are cut, as when there is no server
    gaps: [],
    repaired: [], // starts (UTC) of candles that were changed after they had closed
    wrong: [], // starts (UTC) of candles that the exchange says otherwise
    mute: false, // lines stay open and nothing comes over them, as when a network is gone
    unlisted: false, // no market is known, as before the exchange has ever been reached
    at: null, // seconds UTC at which time stands still
    ...change,
  };
  const streams = new MockStreams(world);

  async function changeStream(id, request) {
    const { add = [], remove = [] } = await body(request);
    if (streams.change(id, add, remove)) return [200, '{}'];
    return [404, error('unknown_stream', id)];
  }

  /** {"world":{…}} changes what is told; {"say":["gap",{…}]} tells it; {"drop":true} cuts all. */
  async function control(request) {
    if (request.method === 'GET') return [200, JSON.stringify(streams.counts())];
    const { world: change = {}, say, drop = false } = await body(request);
    Object.assign(world, change);
    if (say) streams.say(...say);
    if (drop) streams.drop();
    return [200, '{}'];
  }

  const own = (url) => candles(url, streams.now(), streams.cursor());

  const unknown = [404, error('unknown_market', 'no such market')];

  async function answer(url, request) {
    const [, first, id] = url.pathname.split('/');
    if (world.unlisted && first === 'candles') return unknown;
    if (world.unlisted && first === 'markets') return [200, '[]'];
    if (first === 'mock') return control(request);
    if (first === 'stream') return changeStream(id, request);
    if (first === 'candles') return changed(own(url), world.repaired, repair);
    if (first === 'exchange-candles') return changed(own(url), world.wrong, differ);
    if (first === 'markets') return marketList(streams.now());
    if (first === 'gaps') return [200, JSON.stringify(world.gaps)];
    if (first === 'status') return [200, streams.status()];
    return file(url.pathname);
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://mock');
    if (world.unreachable && url.pathname !== '/mock') return void request.socket.destroy();
    if (world.mute && url.pathname !== '/mock') return;
    if (url.pathname === '/stream') {
      if (world.unlisted && url.search.includes('candle')) {
        return void response.writeHead(404).end(unknown[1]);
      }
      if (!world.refuseStreams) return streams.open(url, request, response);
      response.writeHead(503, { 'retry-after': '1' }).end(error('too_many', 'streams'));
      return undefined;
    }
    return void answer(url, request).then(([code, content, headers = {}]) => {
      const type = { 'content-type': 'application/json', 'content-security-policy': CSP };
      response.writeHead(code, { ...type, ...headers }).end(content);
    });
  });
  const timer = setInterval(() => streams.tick(), TICK_MS);
  const close = () => {
    clearInterval(timer);
    server.closeAllConnections();
    server.close();
  };
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => {
      resolve({ url: `http://127.0.0.1:${server.address().port}`, close });
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startMock(Number(process.argv[2] ?? 21080));
  console.log(url);
}
