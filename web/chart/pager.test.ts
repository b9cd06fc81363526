// SPDX-License-Identifier: Apache-2.0
import { expect, test, vi } from 'vitest';
import { candle } from '../api/fixture';
import { inStillTime, page, setUp, span, wire } from './feed-fixture';
import { CAPACITY } from './pager';

inStillTime();

test('a healed gap: its span is fetched again, and what was removed there is gone', async () => {
  let healed = false;
  const { server, live, queries, starts, frame, open } = setUp(() =>
    healed ? page([...span(1, 4), candle(4, { rev: 2 }), ...span(6, 9)]) : page(span(1, 9)),
  );
  await open();
  const gap = { code: 'KRW-BTC', from: '1970-01-01T00:00:04.000Z', reason: 'disconnected' };
  server.line.say('gap', { ...gap, state: 'open' });
  expect(queries).toHaveLength(1);
  frame();
  expect(live.gaps.get('KRW-BTC')).toMatchObject([{ state: 'open' }]);
  healed = true;
  server.line.say('gap', { ...gap, to: '1970-01-01T00:00:06.000Z', state: 'healed' });
  await vi.advanceTimersByTimeAsync(0);
  expect(queries).toHaveLength(2);
  expect(starts()).toEqual([1, 2, 3, 4, 6, 7, 8]);
});

test('pages to the left up to the capacity, then back to the right, without a hole', async () => {
  const first = 1;
  let head = 8001;
  const { server, feed, starts, open } = setUp(({ count, to = head }) => {
    const from = Math.max(first, to - count);
    return page(span(from, Math.min(to, head)), 'e1:1', from === first);
  });
  await open();
  for (let turn = 0; turn < 9; turn += 1) await feed.pager.older();
  expect(feed.state.latest).toMatchObject({ beginning: true, atHead: false });
  expect(starts()[0]).toBe(first);
  expect(starts()).toHaveLength(CAPACITY);
  server.line.say('candle', wire(candle(head)));
  head += 1;
  expect(feed.series.newest?.start).toBe(CAPACITY);
  for (let turn = 0; turn < 9; turn += 1) await feed.pager.newer();
  const last = starts();
  expect(last.at(-1)).toBe(head - 1);
  expect(last.every((start, at) => at === 0 || start === (last[at - 1] ?? 0) + 1)).toBe(true);
  expect(last).toHaveLength(CAPACITY);
  expect(feed.state.latest.beginning).toBe(false);
});

test('goes to a time far away, and back to now without a hole', async () => {
  const head = 90_001;
  const { feed, starts, queries, open } = setUp(({ count, to = head }) => {
    const from = Math.max(1, to - count);
    return page(span(from, Math.max(from, Math.min(to, head))), 'e1:1', from === 1);
  });
  await open();
  expect(await feed.pager.goTo(20_000)).toBe(true);
  expect(starts()[0]).toBe(19_500);
  expect(starts().at(-1)).toBe(20_499);
  expect(feed.state.latest).toMatchObject({ atHead: false, beginning: false });
  const asked = queries.length;
  expect(await feed.pager.goTo(20_100)).toBe(true);
  expect(queries).toHaveLength(asked); // it is loaded already
  expect(await feed.pager.goTo(19_400)).toBe(true);
  expect(starts()[0]).toBe(18_900);
  expect(starts().at(-1)).toBe(20_499); // joined, nothing thrown away
  expect(await feed.pager.goTo(89_800)).toBe(true);
  expect(feed.state.latest.atHead).toBe(true);
  expect(starts().at(-1)).toBe(head - 1);
  expect(await feed.pager.goTo(200)).toBe(true);
  expect(feed.state.latest).toMatchObject({ atHead: false, beginning: true });
  const last = starts();
  expect(last.every((start, at) => at === 0 || start === (last[at - 1] ?? 0) + 1)).toBe(true);
});

test('a time before the beginning changes nothing', async () => {
  const { feed, starts, open } = setUp(({ to = 9000 }) =>
    to <= 8000 ? page([], 'e1:1', true) : page(span(8000, 9000), 'e1:1'),
  );
  await open();
  expect(await feed.pager.goTo(100)).toBe(false);
  expect(starts()).toHaveLength(1000);
  expect(feed.state.latest.atHead).toBe(true);
});
