// SPDX-License-Identifier: Apache-2.0
import type { Candle } from '../api/types';

const HEADER =
  'code,interval,candle_date_time_utc,opening_price,high_price,low_price,trade_price,' +
  'candle_acc_trade_volume,candle_acc_trade_price,state,rev';

function rowOf(candle: Candle): string {
  const { code, interval, start, open, high, low, close, volume, amount, state, rev } = candle;
  const time = new Date(start * 1000).toISOString().slice(0, 19);
  return [code, interval, time, open, high, low, close, volume, amount, state, rev].join(',');
}

/** Named as the API names them, decimals as they came. */
export function csvOf(candles: readonly Candle[]): string {
  return [HEADER, ...candles.map(rowOf), ''].join('\n');
}
