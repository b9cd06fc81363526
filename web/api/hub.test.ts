// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ASLEEP_MS } from './hub';
import { candle, hubWorld, ticker } from './hub-fixture';
import { MAILBOX_LIMIT } from './mailbox';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const BTC = 'candle.1s:KRW-BTC';
const ETH = 'candle.1m:KRW-ETH';
const settle = () => vi.advanceTimersByTimeAsync(20);

const START = Date.UTC(2026, 2, 11, 14, 40) / 1000;

async function running() {
  const made = hubWorld();
  const first = made.tab();
  void first.stream.follow(['ticker:*', BTC], []);
  await settle();
  made.server.line.say('hello', { id: 's1' }, 'e1:1');
  await settle();
  return { ...made, first };
}

test('six tabs are one stream that follows what any of them wants, each once', async () => {
  const { server, tab, first } = await running();
  const others = [1, 2, 3, 4, 5].map(() => tab());
  for (const { stream } of others) void stream.follow(['ticker:*', ETH], []);
  await settle();
  expect(server.lines).toHaveLength(1);
  expect(server.line.query.getAll('sub')).toEqual(['ticker:*', BTC]);
  expect(server.changes).toEqual([{ id: 's1', add: [ETH], remove: [] }]);
  server.line.say('candle', candle('KRW-ETH', '1m'));
  server.line.say('candle', candle('KRW-BTC', '1s'));
  await settle();
  expect(first.said('candle')).toMatchObject([{ code: 'KRW-BTC', interval: '1s', start: START }]);
  for (const { said } of others) expect(said('candle')).toHaveLength(1);
  for (const { stream } of others.slice(1)) stream.close();
  await settle();
  expect(server.changes).toHaveLength(1);
  others[0]?.stream.close();
  await settle();
  expect(server.changes[1]).toEqual({ id: 's1', add: [], remove: [ETH] });
  first.stream.close();
  expect(server.line.closed).toBe(true);
});

test('a change is answered when the server has it in force, not before', async () => {
  const { server, tab } = hubWorld();
  const one = tab();
  const done = vi.fn();
  void one.stream.follow([BTC], []).then(done);
  await settle();
  expect(server.lines).toHaveLength(1);
  expect(done).not.toHaveBeenCalled();
  server.line.say('hello', { id: 's1' });
  await settle();
  expect(done).toHaveBeenCalled();
  expect(one.said('hello')).toHaveLength(1);
});

test('a tab that comes later is told the prices and the state of things at once', async () => {
  const { server, tab } = await running();
  server.line.say('status', { exchange: 'live' });
  server.line.say('ticker', ticker('KRW-BTC', 1));
  server.line.say('ticker', ticker('KRW-BTC', 2));
  const late = tab();
  void late.stream.follow(['ticker:*'], []);
  await settle();
  expect(late.said('status')).toHaveLength(1);
  expect(late.said('ticker')).toMatchObject([{ code: 'KRW-BTC', price: '2' }]);
  expect(server.changes).toHaveLength(0);
});

test('prices that a tab does not show come late, at once when it does', async () => {
  const { server, first } = await running();
  first.stream.heed(['KRW-BTC']);
  const say = () =>
    ['KRW-BTC', 'KRW-ETH'].forEach((code) => server.line.say('ticker', ticker(code)));
  const heard = (wanted: string) =>
    first.said('ticker').filter(({ code }) => code === wanted).length;
  say();
  await settle(); // the first of all
  for (let turn = 0; turn < 5; turn += 1, await vi.advanceTimersByTimeAsync(200)) say();
  expect(heard('KRW-BTC')).toBeGreaterThan(1);
  expect(heard('KRW-ETH')).toBe(1);
  first.stream.heed(['KRW-ETH']);
  await vi.advanceTimersByTimeAsync(460);
  expect(heard('KRW-ETH')).toBe(2);
});

test('a loss and a reset reach all; the stream goes on from its position', async () => {
  const { server, tab, first } = await running();
  const second = tab();
  void second.stream.follow([ETH], []);
  await settle();
  server.line.fail();
  await vi.advanceTimersByTimeAsync(1000);
  expect(server.line.query.get('since')).toBe('e1:1');
  expect(server.line.query.getAll('sub')).toEqual(['ticker:*', BTC, ETH]);
  server.line.say('hello', { id: 's2' });
  server.line.say('reset', { reason: 'epoch unknown', sub: [BTC, ETH] });
  await settle();
  for (const { listener, said } of [first, second]) {
    expect(listener.lost).toHaveBeenCalledWith(1);
    expect(said('reset')).toEqual([{ only: [BTC, ETH] }]);
  }
});

test('what was fetched before the first connection came about is fetched again', async () => {
  const { server, tab } = hubWorld();
  const one = tab();
  const done = vi.fn();
  void one.stream.follow([BTC], []).then(done);
  await settle();
  server.line.fail();
  await settle();
  expect(done).toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1000);
  server.line.say('hello', { id: 's1' });
  await settle();
  expect(one.said('reset')).toHaveLength(1);
});

test('a tab that sleeps costs the newest of each; waking soon, it hears that', async () => {
  const { server, first } = await running();
  first.wire.asleep = true;
  for (let second = 0; second < 40; second += 1) {
    server.line.say('ticker', ticker('KRW-BTC', second));
    server.line.say('candle', candle('KRW-BTC', '1s', second % 3));
    await settle();
  }
  expect(first.held.filter((message) => 'items' in message)).toHaveLength(1);
  first.listener.heard.mockClear();
  first.wake();
  await settle();
  expect(first.said('ticker').at(-1)).toMatchObject({ code: 'KRW-BTC', price: '39' });
  expect(first.said('candle').length).toBeLessThanOrEqual(4);
});

test('one that slept for long is let go, comes back by itself and fetches what it missed', async () => {
  const { server, tab, first } = await running();
  const awake = tab();
  void awake.stream.follow([ETH], []);
  await settle();
  first.wire.asleep = true;
  for (let time = 0; time <= ASLEEP_MS + 10_000; time += 5000) {
    server.line.say('status', {});
    await vi.advanceTimersByTimeAsync(5000);
  }
  expect(server.changes.at(-1)).toEqual({ id: 's1', add: [], remove: ['ticker:*', BTC] });
  first.wake();
  await settle();
  expect(server.changes.at(-1)).toEqual({ id: 's1', add: ['ticker:*', BTC], remove: [] });
  expect(first.said('reset')).toEqual([{ only: null }]);
  server.line.say('candle', candle('KRW-BTC', '1s', 9));
  await settle();
  expect(first.said('candle').at(-1)?.start).toBe(START + 9);
});

test('more than a tab can be told one by one becomes a reset', async () => {
  const { server, first } = await running();
  first.wire.asleep = true;
  server.line.say('status', {});
  await settle();
  const gap = { code: 'KRW-BTC', from: '2026-03-11T14:41:03.000Z', to: null, state: 'open' };
  for (let count = 0; count <= MAILBOX_LIMIT; count += 1) server.line.say('gap', gap);
  first.wake();
  await settle();
  expect(first.said('gap')).toHaveLength(0);
  expect(first.said('reset')).toEqual([{ only: null }]);
});

test('without the worker a tab has a stream of its own, opened where its page ends', async () => {
  const { server, tab } = hubWorld();
  const one = tab();
  const done = vi.fn();
  one.wire.dead = true;
  void one.stream.follow([BTC], []).then(done);
  expect(one.stream.started).toBe(true);
  one.line.onerror();
  await settle();
  expect(done).toHaveBeenCalled();
  expect(one.stream.started).toBe(false);
  one.stream.open('e1:7');
  expect(server.line.query.get('since')).toBe('e1:7');
  expect(server.line.query.getAll('sub')).toEqual([BTC]);
});

test('a worker that dies is noticed, and its tab fetches again', async () => {
  const { server, first } = await running();
  first.wire.dead = true;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(first.said('reset')).toEqual([{ only: null }]);
  first.stream.open('e1:9');
  expect(server.line.query.getAll('sub')).toEqual(['ticker:*', BTC]);
});
