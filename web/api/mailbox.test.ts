// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Item, ToTab } from './hub-talk';
import { Mailbox } from './mailbox';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function opened() {
  const batches: (readonly Item[])[] = [];
  const post = (message: ToTab) => {
    if ('items' in message) batches.push(message.items);
    mailbox.acknowledged();
  };
  const mailbox = new Mailbox(post, () => Date.now());
  return { mailbox, batches };
}

test('prices leave ten times a second, the newest of each; a candle takes them along at once', () => {
  const { mailbox, batches } = opened();
  for (let turn = 0; turn < 100; turn += 1) {
    mailbox.put(['ticker', String(turn)], 'ticker:KRW-BTC');
    vi.advanceTimersByTime(10);
  }
  expect(batches.length).toBeLessThanOrEqual(11);
  expect(batches.every((items) => items.length === 1)).toBe(true);
  const before = batches.length;
  vi.advanceTimersByTime(100);
  mailbox.put(['ticker', 'first'], 'ticker:KRW-BTC');
  vi.advanceTimersByTime(10);
  mailbox.put(['ticker', 'second'], 'ticker:KRW-BTC');
  mailbox.put(['candle', '{}'], 'candle');
  vi.advanceTimersByTime(10);
  expect(batches.slice(before + 1).flat()).toEqual([
    ['ticker', 'first'],
    ['ticker', 'second'],
    ['candle', '{}'],
  ]);
});
