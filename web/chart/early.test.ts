// SPDX-License-Identifier: Apache-2.0
import { expect, test, vi } from 'vitest';
import { candle } from '../api/fixture';
import type { CandlePage } from '../api/types';
import { inStillTime, page, setUp, span, wire } from './feed-fixture';

inStillTime();

test('an empty chart shows what there is until it is followed, and then all of it anew', async () => {
  const pages = [page(span(1, 4)), page(span(2, 8))];
  const { server, live, feed, screen, starts, frame } = setUp(() => pages.shift() ?? page([]));
  live.stream.open(null); // what is followed is in force with its hello
  const showing = feed.show('KRW-BTC', '1s');
  await vi.advanceTimersByTimeAsync(0);
  frame();
  expect(starts()).toEqual([1, 2, 3]);
  expect(feed.state.latest.phase).toBe('loading');
  expect(screen.replace).toHaveBeenLastCalledWith(feed.series.all, false);
  server.line.say('hello', { id: 's1' });
  server.line.say('candle', wire(candle(8)));
  expect(starts()).toEqual([1, 2, 3]); // what lies between is not here yet
  await showing;
  frame();
  expect(starts()).toEqual([2, 3, 4, 5, 6, 7, 8]);
  expect(screen.replace).toHaveBeenLastCalledWith(feed.series.all, true);
  expect(feed.state.latest.phase).toBe('ready');
});

test('what comes too late, or is nothing, is not shown', async () => {
  const late: ((answer: CandlePage) => void)[] = [];
  const { live, feed, starts } = setUp(({ code }) =>
    code === 'KRW-BTC'
      ? new Promise<CandlePage>((resolve) => late.push(resolve))
      : page(span(1, 3)),
  );
  live.stream.open(null);
  void feed.show('KRW-BTC', '1s');
  await vi.advanceTimersByTimeAsync(0);
  void feed.show('KRW-ETH', '1s');
  await vi.advanceTimersByTimeAsync(0);
  expect(starts()).toEqual([1, 2]);
  late[0]?.(page(span(5, 9)));
  await vi.advanceTimersByTimeAsync(0);
  expect(starts()).toEqual([1, 2]);
});
