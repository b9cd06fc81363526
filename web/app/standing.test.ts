// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Connection } from '../api/live';
import { hasOpenGap, originOf, standingOf } from './standing';

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
  [{ exchange: 'none', behindMs: null }, 'kept'],
  [{ link: 'connecting', exchange: 'none' }, 'kept'],
  [{ link: 'unreachable', exchange: 'none' }, 'offline'],
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

test('kept data alarms nobody, and is not called live', () => {
  const kept = { ...fine, exchange: 'none' } as const;
  expect(standingOf(kept)).toMatchObject({ tone: 'note', notice: null });
  expect(originOf(kept)).toMatchObject({ text: 'upbit', tone: 'note', hint: 'upbitKeptHint' });
  expect(originOf({ ...kept, source: 'imported' })?.hint).toBe('importedHint');
  expect(originOf(fine)).toMatchObject({ text: 'upbit', tone: 'good', hint: 'upbitHint' });
  expect(originOf({ ...fine, source: null })).toBeNull();
});

test('a gap counts while it is open', () => {
  const gap = { code: 'KRW-BTC', from: 1, to: 2, reason: '', state: 'healed' } as const;
  expect(hasOpenGap(undefined)).toBe(false);
  expect(hasOpenGap([gap])).toBe(false);
  expect(hasOpenGap([gap, { ...gap, to: null, state: 'open' }])).toBe(true);
});
