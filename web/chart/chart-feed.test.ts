// SPDX-License-Identifier: Apache-2.0
import { expect, test, vi } from 'vitest';
import { candle } from '../api/fixture';
import { RestError } from '../api/rest';
import type { Candle, CandlePage } from '../api/types';
import { ChartFeed } from './chart-feed';
import { inStillTime, page, setUp, span, wire } from './feed-fixture';

inStillTime();

test('history first, then the stream from its cursor, drawn bar by bar', async () => {
  const { server, feed, screen, frame, open } = setUp(() => page(span(100, 105), 'e1:77'));
  await open();
  expect(server.line.query.get('since')).toBe('e1:77');
  expect(server.line.query.getAll('sub')).toContain('candle.1s:KRW-BTC');
  expect(screen.replace).toHaveBeenCalledTimes(1);
  server.line.say('candle', wire(candle(105, { state: 'forming', close: '1' })));
  server.line.say('candle', wire(candle(105, { state: 'forming', close: '2', volume: '2' })));
  server.line.say('candle', wire(candle(103, { rev: 2, state: 'repaired' })));
  frame();
  expect(screen.replace).toHaveBeenCalledTimes(1);
  expect(screen.update).toHaveBeenCalledTimes(1);
  const drawn = screen.update.mock.calls[0]?.[0] as Candle[];
  expect(drawn.map((bar) => [bar.start, bar.close, bar.rev])).toEqual([
    [103, '105', 2],
    [105, '2', 1],
  ]);
  expect(feed.state.latest).toMatchObject({ phase: 'ready', atHead: true });
});

test('the seam: what the stream says while history is fetched is neither lost nor doubled', async () => {
  let respond: (answer: CandlePage) => void = () => undefined;
  const { server, feed, starts, frame, open } = setUp((query) =>
    query.interval === '1s' ? page([]) : new Promise<CandlePage>((resolve) => (respond = resolve)),
  );
  await open();
  const showing = feed.show('KRW-BTC', '1m');
  await vi.advanceTimersByTimeAsync(0);
  expect(server.changes.at(-1)).toMatchObject({
    add: ['candle.1m:KRW-BTC'],
    remove: ['candle.1s:KRW-BTC'],
  });
  const minute = (start: number, change: Partial<Candle>) =>
    wire(candle(start, { interval: '1m', ...change }));
  server.line.say('candle', minute(120, { volume: '9' }));
  server.line.say('candle', minute(180, { state: 'forming', volume: '3' }));
  respond(
    page([
      candle(60, { interval: '1m' }),
      candle(120, { interval: '1m', state: 'forming', volume: '8' }),
    ]),
  );
  await showing;
  frame();
  expect(starts()).toEqual([60, 120, 180]);
  expect(feed.series.at(120)).toMatchObject({ state: 'closed', volume: '9' });
});

test('a late answer for the market left behind changes nothing', async () => {
  const waiting: ((answer: CandlePage) => void)[] = [];
  const { feed, starts, open } = setUp((query) =>
    query.code === 'KRW-ETH'
      ? new Promise<CandlePage>((resolve) => waiting.push(resolve))
      : page(span(1, 4, { code: query.code })),
  );
  await open();
  const left = feed.show('KRW-ETH', '1s');
  await vi.advanceTimersByTimeAsync(0);
  await feed.show('KRW-XRP', '1s');
  waiting[0]?.(page(span(50, 60, { code: 'KRW-ETH' })));
  await left;
  expect(feed.state.latest.code).toBe('KRW-XRP');
  expect(starts()).toEqual([1, 2, 3]);
});

test('an insertion and a hidden tab’s worth of bars are drawn as a whole, in place', async () => {
  const { server, screen, frame, open } = setUp(() => page([candle(1), candle(5)]));
  await open();
  server.line.say('candle', wire(candle(3)));
  frame();
  expect(screen.replace).toHaveBeenLastCalledWith(expect.anything(), true);
  for (const bar of span(6, 300)) server.line.say('candle', wire(bar));
  frame();
  expect(screen.replace).toHaveBeenCalledTimes(3);
  expect(screen.update).not.toHaveBeenCalled();
});

test('history that can not be fetched is tried again', async () => {
  let tries = 0;
  const { feed, live } = setUp(() => {
    tries += 1;
    if (tries === 1) throw new RestError(0, 'refused');
    return page(span(1, 3));
  });
  const showing = feed.show('KRW-BTC', '1s');
  await vi.advanceTimersByTimeAsync(0);
  expect(feed.state.latest.phase).toBe('failed');
  expect(live.connection.latest.link).toBe('unreachable');
  await vi.advanceTimersByTimeAsync(600);
  await showing;
  expect(feed.state.latest.phase).toBe('ready');
  live.stream.close();
});

test('a market not known yet: the stream opens without it, and follows when it is', async () => {
  let listed = false;
  const { feed, live, server, starts } = setUp(() => {
    if (!listed) throw new RestError(404, 'no such market');
    return page(span(1, 3));
  });
  await live.stream.follow(['ticker:*'], []);
  const showing = feed.show('KRW-NEW', '1s');
  await vi.advanceTimersByTimeAsync(0);
  expect(server.line.query.getAll('sub')).toEqual(['ticker:*']);
  expect(feed.state.latest.phase).toBe('loading'); // no market is known: it may well be real
  server.line.say('hello', { id: 's1' });
  live.markets.set([{ code: 'KRW-A', korean: '', english: '', tickSize: '1', listed: true }]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(feed.state.latest.phase).toBe('unknown');
  expect(server.changes).toEqual([]);
  listed = true;
  await vi.advanceTimersByTimeAsync(3000);
  await showing;
  expect(server.changes).toMatchObject([{ add: ['candle.1s:KRW-NEW'] }]);
  expect(starts()).toEqual([1, 2]);
  live.stream.close();
});

test('reset: all is fetched again; the stream, which goes on, is heard meanwhile', async () => {
  let round = 0;
  const { server, starts, open } = setUp(() => {
    round += 1;
    return round === 1 ? page(span(1, 5)) : page(span(900, 903), 'e2:4');
  });
  await open();
  server.line.say('reset', { reason: 'unknown epoch', sub: ['candle.1s:KRW-BTC'] });
  server.line.say('candle', wire(candle(903)));
  await vi.advanceTimersByTimeAsync(0);
  expect(starts()).toEqual([900, 901, 902, 903]);
  expect(server.lines).toHaveLength(1);
});

test('a stream that another chart opened meanwhile: history is fetched again, followed', async () => {
  const answers: ((answer: CandlePage) => void)[] = [];
  const { server, live, feed, starts, queries } = setUp(
    () => new Promise<CandlePage>((resolve) => answers.push(resolve)),
  );
  const showing = feed.show('KRW-BTC', '1s');
  await vi.advanceTimersByTimeAsync(0);
  live.stream.open('e1:9'); // by another chart, whose answer was later
  answers[0]?.(page(span(1, 4), 'e1:5'));
  await vi.advanceTimersByTimeAsync(0);
  expect(queries).toHaveLength(1);
  server.line.say('hello', { id: 's1' });
  await vi.advanceTimersByTimeAsync(0);
  answers[1]?.(page(span(1, 6), 'e1:10'));
  await showing;
  expect(starts()).toEqual([1, 2, 3, 4, 5]);
  expect(server.lines).toHaveLength(1);
});

test('two charts of one market and interval: one stream; the one that is left goes on', async () => {
  const { server, live, feed, starts, open } = setUp(() => page(span(1, 4)));
  await open();
  const other = new ChartFeed(live, 'KRW-BTC', '1s', () => Promise.resolve(page(span(2, 4))));
  await other.show('KRW-BTC', '1s');
  server.line.say('candle', wire(candle(4)));
  expect(starts()).toEqual([1, 2, 3, 4]);
  expect(other.series.all.map(({ start }) => start)).toEqual([2, 3, 4]);
  other.close();
  server.line.say('candle', wire(candle(5)));
  expect(starts().at(-1)).toBe(5);
  expect(other.series.newest?.start).toBe(4);
  expect(server.changes.flatMap(({ remove }) => remove)).toEqual([]);
  feed.close();
  expect(server.changes.at(-1)?.remove).toEqual(['candle.1s:KRW-BTC']);
  expect(server.lines).toHaveLength(1);
});
