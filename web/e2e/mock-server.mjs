// SPDX-License-Identifier: Apache-2.0
// A stand-in for `stofka serve`: the built page, the API of DESIGN §4 over a made-up market, and
// faults on demand (POST /mock). For working on the page; the real program is the judge.
//   node e2e/mock-server.mjs [port]
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { byCode, candleAt, decimal, markets, tickerAt, windowOf } from './mock-market.mjs';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const INTERVALS = ['1s', '1m', '3m', '5m', '10m', '15m', '30m', '1h', '4h', '1d', '1w', '1M'];
const TICK_MS = 250;
const CSP =
  "default-src 'self'; style-src 'self' 'sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY='; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

const seconds = () => Date.now() / 1000;

export function startMock(port = 0) {
  const streams = new Map();
  const world = { epoch: 'm1', status: { exchange: 'live' }, refuse: false, unreachable: false };
  let lastId = 0;

  const cursor = () => `${world.epoch}:${Date.now()}`;
  const status = () =>
    JSON.stringify({
      exchange: 'live',
      behind_ms: world.status.exchange === 'live' ? 40 + Math.floor(Math.random() * 60) : null,
      source: 'simulated',
      version: 'mock',
      ...world.status,
    });

  function send(stream, name, data) {
    stream.response.write(`event: ${name}\ndata: ${data}\n\n`);
  }

  function flushed(stream) {
    stream.response.write(`id: ${cursor()}\n\n`);
  }

  function candleSub(sub) {
    const [, interval, code] = /^candle\.(\w+):(.+)$/.exec(sub) ?? [];
    const market = byCode.get(code);
    return market && INTERVALS.includes(interval) ? { interval, market } : null;
  }

  function sendCandles(stream, sub, from) {
    const found = candleSub(sub);
    if (!found) return;
    const now = seconds();
    let [start, end] = windowOf(found.interval, from);
    while (start <= now) {
      const candle = candleAt(found.market, found.interval, start, now);
      if (candle) send(stream, 'candle', candle);
      [start, end] = windowOf(found.interval, end);
    }
  }

  function snapshot(stream, sub, from) {
    if (sub === 'ticker:*') {
      for (const market of markets) send(stream, 'ticker', tickerAt(market, seconds(), 'SNAPSHOT'));
    } else sendCandles(stream, sub, from);
  }

  function openStream(url, request, response) {
    const since = request.headers['last-event-id'] ?? url.searchParams.get('since');
    const subs = new Set(url.searchParams.getAll('sub'));
    const stream = { id: `s${++lastId}`, subs, response };
    streams.set(stream.id, stream);
    response.on('close', () => streams.delete(stream.id));
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 2000\n\n');
    send(stream, 'hello', JSON.stringify({ id: stream.id }));
    send(stream, 'status', status());
    const [epoch, position] = (since ?? cursor()).split(':');
    if (epoch !== world.epoch) {
      send(stream, 'reset', JSON.stringify({ reason: 'unknown epoch', sub: [...subs] }));
    }
    for (const sub of subs) snapshot(stream, sub, (Number(position) || Date.now()) / 1000 - 2);
    flushed(stream);
  }

  function tick() {
    const now = seconds();
    const live = world.status.exchange === 'live';
    for (const stream of streams.values()) {
      if (Math.random() < 0.3 || !live) send(stream, 'status', status());
      if (!live) continue;
      for (const market of markets) {
        const moves = stream.subs.has('ticker:*') && Math.random() < market.busy * 0.5;
        if (moves) send(stream, 'ticker', tickerAt(market, now, 'REALTIME'));
      }
      for (const sub of stream.subs) sendCandles(stream, sub, now - 1.5);
      flushed(stream);
    }
  }

  function candles(url) {
    const market = byCode.get(url.searchParams.get('code'));
    const interval = url.searchParams.get('interval') ?? '1m';
    if (!market) return [404, error('unknown_market', 'code')];
    if (!INTERVALS.includes(interval)) return [400, error('invalid_parameter', 'interval')];
    const count = Math.min(1000, Number(url.searchParams.get('count') ?? 200));
    const now = seconds();
    const to = url.searchParams.get('to');
    const rows = [];
    let at = to ? Date.parse(to) / 1000 - 0.5 : now;
    const headers = { 'stofka-cursor': cursor() };
    while (rows.length < count && at >= market.begin) {
      const candle = candleAt(market, interval, at, now);
      if (candle) rows.push(candle);
      at = windowOf(interval, at)[0] - 0.5;
    }
    if (at < market.begin) headers['stofka-beginning'] = 'true';
    return [200, `[${rows.join(',')}]`, headers];
  }

  function error(name, message) {
    return JSON.stringify({ error: { name, message } });
  }

  function marketList() {
    const rows = markets.map(
      ({ code, korean, english, tick, ...market }) =>
        `{"code":"${code}","korean_name":"${korean}","english_name":"${english}",` +
        `"tick_size":${decimal(tick)},"listed":true,` +
        `"ticker":${tickerAt({ code, tick, ...market }, seconds(), 'SNAPSHOT')}}`,
    );
    return [200, `[${rows.join(',')}]`];
  }

  async function body(request) {
    let text = '';
    for await (const chunk of request) text += chunk;
    return JSON.parse(text);
  }

  async function changeStream(id, request) {
    const stream = streams.get(id);
    const { add = [], remove = [] } = await body(request);
    if (!stream) return [404, error('unknown_stream', id)];
    for (const sub of remove) stream.subs.delete(sub);
    for (const sub of add) {
      stream.subs.add(sub);
      snapshot(stream, sub, seconds() - 2);
    }
    return [200, '{}'];
  }

  /** {"world":{…}} changes what is told; {"send":["gap",{…}]} says something; {"drop":true} cuts. */
  async function control(request) {
    const { world: change = {}, send: event, drop = false } = await body(request);
    Object.assign(world, change);
    for (const stream of streams.values()) {
      if (event) send(stream, event[0], JSON.stringify(event[1]));
      if (drop) stream.response.destroy();
    }
    return [200, '{}'];
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

  async function answer(url, request) {
    const [, first, id] = url.pathname.split('/');
    if (first === 'mock') return control(request);
    if (first === 'stream') return changeStream(id, request);
    if (first === 'candles') return candles(url);
    if (first === 'markets') return marketList();
    if (first === 'gaps') return [200, '[]'];
    if (first === 'status') return [200, status()];
    return file(url.pathname);
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://mock');
    const control = url.pathname === '/mock';
    if (world.unreachable && !control) return void request.socket.destroy();
    const streaming = url.pathname === '/stream';
    if (world.refuse && streaming) {
      return void response.writeHead(503, { 'retry-after': '1' }).end(error('too_many', ''));
    }
    if (streaming) return openStream(url, request, response);
    void answer(url, request).then(([code, content, headers = {}]) => {
      const type = { 'content-type': 'application/json', 'content-security-policy': CSP };
      response.writeHead(code, { ...type, ...headers }).end(content);
    });
  });
  const timer = setInterval(tick, TICK_MS);
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
