// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { Calm, CALM_MS } from './calm';

test('a price that moves all the time is told every 15 seconds', () => {
  const calm = new Calm();
  const heard = new Set<string>();
  for (let now = 0; now < 4 * CALM_MS; now += 100) heard.add(calm.say('BTC', String(now), now));
  expect([...heard]).toEqual(['0', '15000', '30000', '45000']);
});

test('another market, or another state of things, is told at once', () => {
  const calm = new Calm();
  calm.say('BTC live', 'BTC 1', 0);
  expect(calm.say('ETH live', 'ETH 2', 10)).toBe('ETH 2');
  expect(calm.say('ETH stale', 'ETH 2, stale', 20)).toBe('ETH 2, stale');
  expect(calm.say('ETH stale', 'ETH 3, stale', 30)).toBe('ETH 2, stale');
});
