// SPDX-License-Identifier: Apache-2.0
// The page's candles held against the API's, digit by digit.
import assert from 'node:assert/strict';

const FIELDS = {
  open: 'opening_price',
  high: 'high_price',
  low: 'low_price',
  close: 'trade_price',
  volume: 'candle_acc_trade_volume',
  amount: 'candle_acc_trade_price',
  state: 'state',
  rev: 'rev',
};

/** Rows whose numbers are the wire's own text. */
const exact = (text) => JSON.parse(text.replace(/":(-?\d[\d.]*)/g, '":"$1"'));

/** {start: candle} of the API, from `from` (seconds UTC) on. */
async function apiCandles(url, { code, interval }, from) {
  const found = {};
  let to = '';
  for (let pages = 0; pages < 20; pages += 1) {
    const address = `${url}/candles?code=${code}&interval=${interval}&count=1000${to}`;
    const rows = exact(await (await fetch(address)).text());
    for (const row of rows) {
      found[Date.parse(`${row.candle_date_time_utc}Z`) / 1000] = row;
    }
    const oldest = rows.at(-1)?.candle_date_time_utc;
    if (!oldest || Date.parse(`${oldest}Z`) / 1000 <= from) break;
    to = `&to=${oldest}`;
  }
  return found;
}

/** What differs between the page's bars from `from` up to `to` and the API's, as lines. */
function differences(bars, rows, from, to) {
  const wrong = [];
  const within = (start) => start >= from && start <= to;
  const held = new Map(bars.map((bar) => [bar.start, bar]));
  for (const start of Object.keys(rows).map(Number).filter(within)) {
    if (!held.has(start)) wrong.push(`${start}: the page lacks it`);
  }
  for (const bar of bars.filter(({ start }) => within(start))) {
    const row = rows[bar.start];
    if (!row) wrong.push(`${bar.start}: the API has none`);
    for (const [own, wire] of row ? Object.entries(FIELDS) : []) {
      if (String(bar[own]) !== row[wire])
        wrong.push(`${bar.start} ${own}: ${bar[own]}, ${row[wire]}`);
    }
  }
  return wrong;
}

/**
 * Every bar of the page from `from` on that can't change any more equals the API's, and none is
 * missing or twice. Waits until the page has heard what the API says. Returns how many there were.
 */
export async function assertTrue(tab, url, from = 0) {
  const late = Date.now() + 20_000;
  for (;;) {
    const [bars, chart] = await tab.page.evaluate(() => [
      window.__stofka.candles,
      window.__stofka.chart,
    ]);
    bars.forEach(({ start }, at) =>
      assert.ok(at === 0 || start > bars[at - 1].start, `${start} twice`),
    );
    const begin = Math.max(from, bars[0].start);
    const settled = bars.filter(({ state, start }) => state !== 'forming' && start >= begin);
    const end = settled.at(-1)?.start ?? begin;
    const wrong = differences(bars, await apiCandles(url, chart, begin), begin, end);
    if (wrong.length === 0) return settled.length;
    assert.ok(Date.now() < late, `${wrong.length} differences: ${wrong.slice(0, 5).join('; ')}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
