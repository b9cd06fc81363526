// SPDX-License-Identifier: Apache-2.0
// The live edge of the real program: every second equals the API's, whatever happens to the line.
// STOFKA_LONG=1 sleeps ten real minutes instead of some seconds.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { external, picture, ready } from './browser.mjs';
import { badge, goesOn, last, startLive } from './live.mjs';
import { until } from './program.mjs';
import { noteSeen, seen } from './seen.mjs';
import { assertTrue } from './truth.mjs';

const LONG = process.env.STOFKA_LONG === '1';
const WATCHED_S = 60;
const SLEEP_S = LONG ? 600 : 12;
const QUIET_MARKS = 6;
const STANDINGS = ['live', 'stale', 'down', 'reconnecting', 'offline'];

let browser;
before(async () => (browser = await startLive()));
after(() => browser.close());

const options = { skip: external ? 'STOFKA_URL is set' : false };

test(
  'history and stream are joined without a seam, however late history comes',
  options,
  async () => {
    const setUp = (page) =>
      page.route('**/candles?*', async (route) => {
        const answer = await route.fetch();
        await new Promise((resolve) => setTimeout(resolve, 3000)); // seconds close meanwhile
        await route.fulfill({ response: answer });
      });
    const tab = await browser.open({ setUp });
    await ready(tab);
    const joined = await last(tab);
    await goesOn(tab, joined, 6);
    await picture(tab.page, 'seam');
    assert.ok((await assertTrue(tab, browser.url)) >= 300);
    assert.deepEqual(tab.faults, []);
    await tab.close();
  },
);

test(
  `${WATCHED_S} seconds: every second candle on the page equals the API’s`,
  options,
  async () => {
    const tab = await browser.open();
    await ready(tab);
    const first = await last(tab);
    const closed = ([from, least]) =>
      window.__stofka.candles.filter(({ start, state }) => start >= from && state !== 'forming')
        .length >= least;
    const patience = { timeout: 2 * WATCHED_S * 1000, polling: 500 };
    await tab.page.waitForFunction(closed, [first, WATCHED_S], patience);
    const count = await assertTrue(tab, browser.url, first);
    assert.ok(count >= WATCHED_S, `${count} of ${WATCHED_S} seconds`);
    await picture(tab.page, 'live');
    assert.deepEqual(tab.faults, []);
    await tab.close();
  },
);

test(`asleep for ${SLEEP_S} seconds, then awake without a hole`, options, async () => {
  const tab = await browser.open();
  await ready(tab);
  const session = await tab.page.context().newCDPSession(tab.page);
  const newest = async () =>
    (await browser.server.json('/candles?code=KRW-BTC&interval=1s&count=1'))[0];
  const before = await last(tab);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  const end = Date.now() + SLEEP_S * 1000;
  while (Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 500));
  const { candle_date_time_utc: time } = await newest();
  assert.ok(Date.parse(`${time}Z`) / 1000 >= before + SLEEP_S - 3, 'the market went on');
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  await goesOn(tab, before, SLEEP_S + 2);
  await assertTrue(tab, browser.url);
  await tab.close();
});

test('six tabs of the real program are one connection', options, async () => {
  const tabs = [];
  for (const place of ['BTC:1s', 'ETH:1m', 'XRP:1h', 'BTC:1s', 'SOL:1d', 'DOGE:3m']) {
    const [base, interval] = place.split(':');
    tabs.push(
      await browser.open({ path: `/?code=KRW-${base}&interval=${interval}`, beside: tabs[0] }),
    );
  }
  for (const tab of tabs) {
    await tab.page.bringToFront();
    await ready(tab);
    await badge(tab, 'live');
  }
  assert.equal(await browser.server.metric('stofka_serve_clients'), 1);
  await tabs[0].page.bringToFront();
  await goesOn(tabs[0], await last(tabs[0]));
  await assertTrue(tabs[0], browser.url);
  await tabs[0].close();
  await until(async () => (await browser.server.metric('stofka_serve_clients')) === 0, 'let go');
});

test('STALE, EXCHANGE DOWN and GAP are said while they are so', options, async () => {
  const tab = await browser.open();
  await ready(tab);
  await badge(tab, 'live');
  // Half a minute: the silent line is given up after five seconds, and seen to be silent before.
  await browser.exchange('/_sim/fault?kind=stall&for=30');
  await badge(tab, 'stale');
  await picture(tab.page, 'stale');
  await badge(tab, 'live');
  await browser.exchange('/_sim/fault?kind=refuse&for=6');
  await browser.exchange('/_sim/fault?kind=drop&for=6');
  await badge(tab, 'down');
  await badge(tab, 'gap');
  await picture(tab.page, 'gap-open');
  await badge(tab, 'live');
  await tab.page.locator('[data-badge=gap]').waitFor({ state: 'detached', timeout: 60_000 });
  await assertTrue(tab, browser.url);
  await tab.close();
});

test('a line that is silent for a moment is STALE, and a quiet night is not', options, async () => {
  const tab = await browser.open({ setUp: noteSeen, locale: 'ko-KR' });
  await ready(tab);
  await badge(tab, 'live');
  const standings = async () => {
    const { badge: all } = await seen(tab.page);
    const bare = all.map((names) => names.split(',').find((name) => STANDINGS.includes(name)));
    return bare.filter((name, at) => name !== bare[at - 1]);
  };
  // Nobody trades: pings alone say that the exchange is there, watermark for watermark.
  await browser.exchange('/_sim/trading?on=0');
  const marks = () => browser.server.metric('stofka_exchange_watermarks_total');
  const before = await marks();
  await until(async () => (await marks()) >= before + QUIET_MARKS, 'watermarks of a quiet market');
  assert.deepEqual((await standings()).slice(-1), ['live']);
  const calm = await standings();
  await browser.exchange('/_sim/trading?on=1');
  await browser.exchange('/_sim/fault?kind=stall&for=4');
  await badge(tab, 'stale');
  await picture(tab.page, 'stale-ko');
  await badge(tab, 'live');
  assert.deepEqual(await standings(), [...calm, 'stale', 'live']);
  assert.ok(!calm.includes('stale') || calm.indexOf('stale') < calm.indexOf('live'), calm.join());
  await assertTrue(tab, browser.url);
  await tab.close();
});
