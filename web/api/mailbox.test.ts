// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Mailbox, type RawItem } from './mailbox';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function opened() {
  const batches: (readonly RawItem[])[] = [];
  const post = (items: readonly RawItem[]) => {
    batches.push(items);
    mailbox.acknowledged();
  };
  const mailbox = new Mailbox(post, () => Date.now());
  return { mailbox, batches };
}

test('prices leave some times a second, the newest of each; a candle takes them along', () => {
  const { mailbox, batches } = opened();
  for (let turn = 0; turn < 100; turn += 1) {
    mailbox.put(['ticker', String(turn)], 'ticker:KRW-BTC');
    vi.advanceTimersByTime(10);
  }
  expect(batches.length).toBeGreaterThan(1);
  expect(batches.length).toBeLessThanOrEqual(3);
  expect(batches.every((items) => items.length === 1)).toBe(true);
  vi.advanceTimersByTime(1000);
  batches.length = 0;
  mailbox.put(['ticker', 'first'], 'ticker:KRW-BTC');
  vi.advanceTimersByTime(10);
  mailbox.put(['ticker', 'second'], 'ticker:KRW-BTC');
  mailbox.put(['candle', '{}'], 'candle');
  vi.advanceTimersByTime(400); // prices may go with it again
  mailbox.put(['candle', '{ }'], 'candle');
  vi.advanceTimersByTime(10);
  expect(batches).toEqual([
    [['ticker', 'first']],
    [['candle', '{}']],
    [
      ['candle', '{ }'],
      ['ticker', 'second'],
    ],
  ]);
});

test('prices that nobody looks at leave every other second, or as soon as somebody does', () => {
  const { mailbox, batches } = opened();
  const said = () => batches.flat().map(([, data]) => data);
  const price = (text: string, idle: boolean) =>
    mailbox.put(['ticker', `${text} ${String(idle)}`], `ticker:${text}`, !idle);
  for (const market of ['a', 'b', 'c']) price(market, true);
  vi.advanceTimersByTime(10);
  expect(said()).toHaveLength(3); // the first of each at once
  batches.length = 0;
  for (let turn = 0; turn < 14; turn += 1) {
    for (const market of ['a', 'b']) price(market, true);
    price('seen', false);
    vi.advanceTimersByTime(100);
  }
  expect(new Set(said())).toEqual(new Set(['seen false']));
  mailbox.hurry('ticker:a');
  mailbox.hurry('ticker:c');
  const others = () => said().filter((text) => text !== 'seen false');
  vi.advanceTimersByTime(460);
  expect(others()).toEqual(expect.arrayContaining(['a true']));
  expect(others()).not.toContain('c true');
  vi.advanceTimersByTime(500);
  expect(others()).toEqual(['a true', 'b true']);
});
