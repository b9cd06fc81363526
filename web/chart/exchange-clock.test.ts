// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { candle } from '../api/fixture';
import { countdownText, ExchangeClock } from './exchange-clock';

const YEAR_2031 = Date.UTC(2031, 2, 4, 5, 6, 7) / 1000;

function forming(start: number, timestamp: number) {
  return candle(start, { interval: '1m', state: 'forming', timestamp });
}

test('counts by the exchange’s time, whatever this computer’s clock says', () => {
  let steady = 500;
  const clock = new ExchangeClock(() => steady);
  expect(clock.secondsLeft('1m')).toBeNull();
  clock.hear(forming(YEAR_2031 - 7, YEAR_2031 * 1000));
  expect(clock.secondsLeft('1m')).toBe(53);
  expect(clock.secondsLeft('5m')).toBe(4 * 60 - 7 + 0);
  steady += 10_000;
  expect(clock.secondsLeft('1m')).toBe(43);
  steady += 43_500; // nothing traded since: the next window is open already
  expect(clock.secondsLeft('1m')).toBe(60);
});

test('late and closed candles do not turn it back; a clock that ran ahead is', () => {
  const clock = new ExchangeClock(() => 0);
  clock.hear(forming(YEAR_2031 - 7, YEAR_2031 * 1000));
  clock.hear(forming(YEAR_2031 - 7, (YEAR_2031 - 5) * 1000));
  clock.hear(candle(0, { timestamp: 0 }));
  expect(clock.now()).toBe(YEAR_2031 * 1000);
  const earlier = YEAR_2031 - 86_400; // the server was started again with an earlier market
  clock.hear(forming(earlier - 7, earlier * 1000));
  expect(clock.now()).toBe(earlier * 1000);
});

test.each([
  [0, '00:00'],
  [83, '01:23'],
  [3_723, '01:02:03'],
  [93_784, '1d 02:03'],
])('%d s left reads %s', (seconds, text) => {
  expect(countdownText(seconds)).toBe(text);
});
