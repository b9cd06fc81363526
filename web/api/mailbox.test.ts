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

test('prices leave some times a second, the newest of each; a candle takes them along at once', () => {
  const { mailbox, batches } = opened();
  for (let turn = 0; turn < 100; turn += 1) {
    mailbox.put(['ticker', String(turn)], 'ticker:KRW-BTC');
    vi.advanceTimersByTime(10);
  }
  expect(batches.length).toBeGreaterThan(5);
  expect(batches.length).toBeLessThanOrEqual(8);
  expect(batches.every((items) => items.length === 1)).toBe(true);
  vi.advanceTimersByTime(300);
  batches.length = 0;
  mailbox.put(['ticker', 'first'], 'ticker:KRW-BTC');
  vi.advanceTimersByTime(10);
  mailbox.put(['ticker', 'second'], 'ticker:KRW-BTC');
  mailbox.put(['candle', '{}'], 'candle');
  vi.advanceTimersByTime(10);
  expect(batches.flat()).toEqual([
    ['ticker', 'first'],
    ['ticker', 'second'],
    ['candle', '{}'],
  ]);
});

test('prices that nobody looks at leave every other second, or as soon as somebody does', () => {
  const { mailbox, batches } = opened();
  const said = () => batches.flat().map(([, data]) => data);
  const price = (text: string, idle: boolean) =>
    mailbox.put(['ticker', `${text} ${String(idle)}`], `ticker:${text}`, idle);
  for (const market of ['a', 'b', 'c']) price(market, true);
  vi.advanceTimersByTime(10);
  expect(said()).toHaveLength(3); // the first of each at once
  batches.length = 0;
  for (let turn = 0; turn < 19; turn += 1) {
    for (const market of ['a', 'b']) price(market, true);
    price('seen', false);
    vi.advanceTimersByTime(100);
  }
  expect(new Set(said())).toEqual(new Set(['seen false']));
  mailbox.hurry('ticker:a');
  mailbox.hurry('ticker:c');
  vi.advanceTimersByTime(50);
  expect(said().filter((text) => text !== 'seen false')).toEqual(['a true']);
  vi.advanceTimersByTime(100);
  expect(said().filter((text) => text !== 'seen false')).toEqual(['a true', 'b true']);
});
