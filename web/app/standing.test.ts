// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Connection } from '../api/live';
import { hasOpenGap, standingOf } from './standing';

const fine: Connection = {
  link: 'open',
  exchange: 'live',
  behindMs: 80,
  source: 'upbit',
  reason: null,
};

test.each<[Partial<Connection>, string]>([
  [{}, 'live'],
  [{ exchange: 'stale' }, 'stale'],
  [{ exchange: 'down' }, 'down'],
  [{ exchange: null }, 'connecting'],
  [{ link: 'connecting' }, 'connecting'],
  [{ link: 'reconnecting' }, 'reconnecting'],
  [{ link: 'unreachable' }, 'offline'],
  [{ link: 'unreachable', exchange: 'down' }, 'offline'],
  [{ link: 'connecting', exchange: 'down' }, 'down'],
  [{ link: 'reconnecting', exchange: 'down' }, 'down'],
  [{ link: 'reconnecting', exchange: null }, 'reconnecting'],
])('%j is %s', (change, name) => {
  expect(standingOf({ ...fine, ...change }).name).toBe(name);
});

test('only what is down is said across the page', () => {
  expect(standingOf({ ...fine, exchange: 'stale' }).notice).toBeNull();
  expect(standingOf({ ...fine, exchange: 'down' }).notice).toBe('downNotice');
  expect(standingOf({ ...fine, link: 'unreachable' }).notice).toBe('offlineNotice');
});

test('a gap counts while it is open', () => {
  const gap = { code: 'KRW-BTC', from: 1, to: 2, reason: '', state: 'healed' } as const;
  expect(hasOpenGap(undefined)).toBe(false);
  expect(hasOpenGap([gap])).toBe(false);
  expect(hasOpenGap([gap, { ...gap, to: null, state: 'open' }])).toBe(true);
});
