// SPDX-License-Identifier: Apache-2.0
// The mock's event streams: hello, snapshots, replay from a cursor, and what moves meanwhile.
import { byCode, candleAt, markets, tickerAt, windowOf } from './mock-market.mjs';

export const INTERVALS = [
  '1s',
  '1m',
  '3m',
  '5m',
  '10m',
  '15m',
  '30m',
  '1h',
  '4h',
  '1d',
  '1w',
  '1M',
];
/** Closed candles are told once more for this long: merging them again must change nothing. */
const OVERLAP_SECONDS = 2;

const AUDIT = { compared: 12_480, different: 3, repaired: 3 };

export class MockStreams {
  #streams = new Map();
  #lastId = 0;

  constructor(world) {
    this.world = world;
  }

  /** Seconds UTC: `world.at` where time is to stand still. */
  now() {
    return this.world.at ?? Date.now() / 1000;
  }

  cursor() {
    return `${this.world.epoch}:${Math.round(this.now() * 1000)}`;
  }

  status() {
    const live = this.world.status.exchange === 'live';
    const behind = live ? 40 + Math.floor(Math.random() * 60) : null;
    const own = { behind_ms: behind, source: 'simulated', version: 'mock', audit: AUDIT };
    return JSON.stringify({ ...own, ...this.world.status });
  }

  open(url, request, response) {
    const since = request.headers['last-event-id'] ?? url.searchParams.get('since');
    const subs = new Set(url.searchParams.getAll('sub'));
    const stream = { id: `s${++this.#lastId}`, subs, response };
    this.#streams.set(stream.id, stream);
    response.on('close', () => this.#streams.delete(stream.id));
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 2000\n\n');
    this.#send(stream, 'hello', JSON.stringify({ id: stream.id }));
    this.#send(stream, 'status', this.status());
    const [epoch, position] = (since ?? this.cursor()).split(':');
    if (epoch !== this.world.epoch) {
      this.#send(stream, 'reset', JSON.stringify({ reason: 'unknown epoch', sub: [...subs] }));
    }
    const from = (Number(position) / 1000 || this.now()) - OVERLAP_SECONDS;
    for (const sub of subs) this.#snapshot(stream, sub, from);
    this.#flushed(stream);
  }

  /** False when there is no such stream. */
  change(id, add, remove) {
    const stream = this.#streams.get(id);
    if (!stream) return false;
    for (const sub of remove) stream.subs.delete(sub);
    for (const sub of add) {
      stream.subs.add(sub);
      this.#snapshot(stream, sub, this.now() - OVERLAP_SECONDS);
    }
    return true;
  }

  /** `data`: what it says, or its text, where numbers must stay what they are. */
  say(name, data) {
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    for (const stream of this.#streams.values()) this.#send(stream, name, text);
  }

  counts() {
    const subs = [...this.#streams.values()].map((stream) => [...stream.subs]);
    return { open: this.#streams.size, opened: this.#lastId, subs };
  }

  drop() {
    for (const stream of this.#streams.values()) stream.response.destroy();
  }

  tick() {
    if (this.world.mute) return;
    const now = this.now();
    const live = this.world.status.exchange === 'live';
    for (const stream of this.#streams.values()) {
      if (Math.random() < 0.3 || !live) this.#send(stream, 'status', this.status());
      if (!live) continue;
      for (const market of markets) {
        const moves = stream.subs.has('ticker:*') && Math.random() < market.busy * 0.5;
        if (moves) this.#send(stream, 'ticker', tickerAt(market, now, 'REALTIME'));
      }
      for (const sub of stream.subs) this.#candles(stream, sub, now - OVERLAP_SECONDS);
      this.#flushed(stream);
    }
  }

  #send(stream, name, data) {
    stream.response.write(`event: ${name}\ndata: ${data}\n\n`);
  }

  #flushed(stream) {
    stream.response.write(`id: ${this.cursor()}\n\n`);
  }

  #snapshot(stream, sub, from) {
    if (sub !== 'ticker:*') return this.#candles(stream, sub, from);
    const now = this.now();
    for (const market of markets) this.#send(stream, 'ticker', tickerAt(market, now, 'SNAPSHOT'));
  }

  #candles(stream, sub, from) {
    const [, interval, code] = /^candle\.(\w+):(.+)$/.exec(sub) ?? [];
    const market = byCode.get(code);
    if (!market || !INTERVALS.includes(interval)) return;
    const now = this.now();
    let [start, end] = windowOf(interval, from);
    while (start <= now) {
      const candle = candleAt(market, interval, start, now);
      if (candle) this.#send(stream, 'candle', candle);
      [start, end] = windowOf(interval, end);
    }
  }
}
