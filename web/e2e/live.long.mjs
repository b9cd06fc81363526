// SPDX-License-Identifier: Apache-2.0
// The live edge of the real program: every second equals the API's, whatever happens to the line.
// STOFKA_LONG=1 sleeps ten real minutes instead of some seconds.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { external, picture, ready, startBrowser } from './browser.mjs';
import { until } from './program.mjs';
import { assertTrue } from './truth.mjs';

const LONG = process.env.STOFKA_LONG === '1';
const WATCHED_S = 60;
const SLEEP_S = LONG ? 600 : 12;
/** Few enough to be taken all by a test, enough for six tabs. */
const LIMIT = 80;

let browser;
before(async () => {
  const stofka = ['--serve.connections', String(LIMIT)];
  browser = await startBrowser({
    program: { sim: ['--every-second', '--codes-count', '12'], stofka },
  });
  await until(knowsItsPast, 'the seconds before it listened');
});

/** What was before it began to listen is fetched once the exchange can be trusted with it. */
async function knowsItsPast() {
  const rows = await browser.server.json('/candles?code=KRW-BTC&interval=1s&count=30&state=closed');
  const starts = rows.map(({ candle_date_time_utc: time }) => Date.parse(`${time}Z`));
  return starts.length === 30 && starts[0] - starts[29] === 29_000;
}
after(() => browser.close());

const options = { skip: external ? 'STOFKA_URL is set' : false };
const last = (tab) => tab.page.evaluate(() => window.__stofka.last.start);
const badge = (tab, name) => tab.page.locator(`[data-badge=${name}]`).waitFor();

/** The chart has gone on for some seconds after `start`. */
const goesOn = async (tab, start, seconds = 4) =>
  tab.until((wanted) => window.__stofka.last?.start > wanted, start + seconds);

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
    const late = () => tab.page.evaluate(() => window.__stofka.last.start);
    const over = async () => (await late()) >= first + WATCHED_S + 3;
    await until(over, 'a minute', 2 * WATCHED_S * 1000);
    const count = await assertTrue(tab, browser.url, first);
    assert.ok(count >= WATCHED_S, `${count} of ${WATCHED_S} seconds`);
    await picture(tab.page, 'live');
    assert.deepEqual(tab.faults, []);
    await tab.close();
  },
);

test('a killed server comes back: the page goes on where it was', options, async () => {
  const tab = await browser.open();
  await ready(tab);
  const before = await last(tab);
  await browser.server.kill();
  await tab.page.locator('[data-badge=reconnecting], [data-badge=offline]').waitFor();
  await picture(tab.page, 'restart-down');
  await browser.server.start();
  await badge(tab, 'live');
  await goesOn(tab, before, 10);
  await picture(tab.page, 'restart');
  await assertTrue(tab, browser.url);
  const again = tab.requests.filter((request) => request.includes('/markets'));
  assert.ok(again.length >= 1);
  await tab.close();
});

test('a server without its data says reset, and the page fetches all again', options, async () => {
  const tab = await browser.open({ alone: true });
  await ready(tab);
  const before = await last(tab);
  const asked = tab.requests.length;
  await browser.server.kill();
  await browser.server.forget();
  await browser.server.start();
  await until(() => tab.requests.slice(asked).some((request) => request.includes('/candles?')));
  await badge(tab, 'live');
  await goesOn(tab, before, 8);
  await assertTrue(tab, browser.url);
  await tab.close();
});

test('refused with 503, the page asks again by itself', options, async () => {
  const tab = await browser.open({ alone: true });
  await ready(tab);
  const before = await last(tab);
  const at = new URL(browser.url);
  await browser.server.kill();
  // All places are taken as soon as there are any.
  const held = new Set();
  const take = () => {
    const socket = connect(Number(at.port), at.hostname);
    held.add(socket);
    socket.on('connect', () =>
      socket.write('GET /stream?sub=ticker:* HTTP/1.1\r\nHost: x\r\n\r\n'),
    );
    socket.on('data', (text) => text.includes('HTTP/1.1 503') && socket.destroy());
    const again = () =>
      held.delete(socket) && setTimeout(() => held.size < LIMIT * 2 && take(), 20);
    socket.on('error', again).on('close', again);
  };
  for (let places = 0; places < LIMIT * 2; places += 1) take();
  const refused = tab.page.waitForResponse((response) => response.status() === 503);
  await browser.server.start();
  await refused;
  await badge(tab, 'reconnecting');
  const all = [...held];
  held.clear();
  for (const socket of all) socket.destroy();
  await badge(tab, 'live');
  await goesOn(tab, before, 6);
  await assertTrue(tab, browser.url);
  await tab.close();
});

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

test('STALE and GAP are said while they are so', options, async () => {
  const tab = await browser.open();
  await ready(tab);
  await browser.exchange('/_sim/fault?kind=stall&for=12');
  await tab.page.locator('[data-badge=stale], [data-badge=down]').waitFor();
  await picture(tab.page, 'stale');
  await badge(tab, 'live');
  await browser.exchange('/_sim/fault?kind=refuse&for=6');
  await browser.exchange('/_sim/fault?kind=drop&for=6');
  await badge(tab, 'gap');
  await picture(tab.page, 'gap-open');
  await badge(tab, 'live');
  await tab.page.locator('[data-badge=gap]').waitFor({ state: 'detached', timeout: 60_000 });
  await assertTrue(tab, browser.url);
  await tab.close();
});
