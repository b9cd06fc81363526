// SPDX-License-Identifier: Apache-2.0
// The real program over a market that trades each second, and what its page is asked for there.
import { startBrowser } from './browser.mjs';
import { until } from './program.mjs';

/** What was before it began to listen is fetched once the exchange can be trusted with it. */
async function knowsItsPast(server) {
  const rows = await server.json('/candles?code=KRW-BTC&interval=1s&count=30&state=closed');
  const starts = rows.map(({ candle_date_time_utc: time }) => Date.parse(`${time}Z`));
  return starts.length === 30 && starts[0] - starts[29] === 29_000;
}

export async function startLive(stofka = []) {
  const sim = ['--every-second', '--codes-count', '12'];
  const browser = await startBrowser({ program: { sim, stofka } });
  if (browser.server) await until(() => knowsItsPast(browser.server), 'the seconds before');
  return browser;
}

export const last = (tab) => tab.page.evaluate(() => window.__stofka.last.start);

export const badge = (tab, name) => tab.page.locator(`[data-badge=${name}]`).waitFor();

/** The chart has gone on for some seconds after `start`. */
export const goesOn = async (tab, start, seconds = 4) =>
  tab.until((wanted) => window.__stofka.last?.start > wanted, start + seconds);
