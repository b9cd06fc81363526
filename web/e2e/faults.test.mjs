// SPDX-License-Identifier: Apache-2.0
// What a person sees when things go wrong. The mock makes them go wrong; a real server is not asked.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { external, picture, ready, startBrowser, starts } from './browser.mjs';
import { tellMock } from './mock-server.mjs';

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser.close());

const options = { skip: external ? 'STOFKA_URL is set' : false };

const mock = (change) => tellMock(browser.url, change);

const badge = (page, name, timeout) => page.locator(`[data-badge=${name}]`).waitFor({ timeout });
/** For what takes a dead line's patience. */
const PATIENCE_MS = 60_000;

/** KRW-BTC trades every second in the mock, so a hole would be ours. */
async function withoutHole(page) {
  const list = await starts(page);
  list.forEach((start, at) => {
    if (at > 0) assert.equal(start, list[at - 1] + 1);
  });
}

test('a line that breaks and is refused for a while goes on without a hole', options, async () => {
  const tab = await browser.open({ alone: true });
  await ready(tab);
  const lost = await tab.page.evaluate(() => window.__stofka.last.start);
  await mock({ world: { refuseStreams: true }, drop: true });
  const refused = () => tab.page.waitForResponse((response) => response.status() === 503);
  for (let times = 0; times < 4; times += 1) await refused();
  await badge(tab.page, 'reconnecting');
  await mock({ world: { refuseStreams: false } });
  await badge(tab.page, 'live');
  await tab.until((start) => window.__stofka.last.start > start + 4, lost);
  await withoutHole(tab.page);
  await tab.close();
});

test('a line that dies without a word is not called live, and comes back', options, async () => {
  const tab = await browser.open({ alone: true });
  await ready(tab);
  await badge(tab.page, 'live');
  const lost = await tab.page.evaluate(() => window.__stofka.last.start);
  await mock({ world: { mute: true } });
  await badge(tab.page, 'reconnecting', PATIENCE_MS);
  await mock({ world: { mute: false } });
  await badge(tab.page, 'live', PATIENCE_MS);
  await tab.until((start) => window.__stofka.last.start > start + 4, lost);
  await withoutHole(tab.page);
  await tab.close();
});

test('a server that starts anew says reset, and the page begins again', options, async () => {
  const tab = await browser.open({ alone: true });
  await ready(tab);
  // The stream that said reset goes on from there: only the chart asks again.
  const again = tab.page.waitForRequest((request) => /\/candles\?/.test(request.url()));
  await mock({ world: { epoch: 'm2' }, drop: true });
  await again;
  await ready(tab);
  await withoutHole(tab.page);
  await tab.close();
});

test('a change of chart that the stream refuses makes a new stream', options, async () => {
  const tab = await browser.open({
    alone: true,
    setUp: (page) => page.route('**/stream/*', (route) => route.fulfill({ status: 404 })),
  });
  await ready(tab);
  await tab.page.locator('[data-interval="1m"]').click();
  await tab.until(() => window.__stofka.last.interval === '1m');
  const { volume } = await tab.page.evaluate(() => window.__stofka.last);
  await tab.until((held) => window.__stofka.last.volume !== held, volume);
  assert.equal(tab.requests.filter((request) => /GET .*\/stream\?/.test(request)).length, 2);
  await tab.close();
});

test('an exchange that can not be reached is said, with its reason', options, async () => {
  const text = 'api.upbit.com: connection refused';
  await mock({ world: { status: { exchange: 'down', text } } });
  const tab = await browser.open({ alone: true });
  await badge(tab.page, 'down');
  const notice = await tab.page.locator('.notice').textContent();
  assert.match(notice, /exchange can't be reached/);
  assert.ok(notice.includes(text));
  await picture(tab.page, 'exchange-down');
  await mock({ world: { status: { exchange: 'stale' } } });
  await badge(tab.page, 'stale');
  await mock({ world: { status: { exchange: 'live' } } });
  await badge(tab.page, 'live');
  await tab.page.locator('.notice').waitFor({ state: 'detached' });
  await tab.close();
});

test(
  'before the exchange was ever reached the page waits, and starts by itself',
  options,
  async () => {
    const text = "can't get the market list";
    await mock({ world: { unlisted: true, status: { exchange: 'down', text } } });
    const tab = await browser.open({ alone: true });
    await badge(tab.page, 'down');
    await tab.until((said) => document.querySelector('.notice')?.textContent.includes(said), text);
    await tab.until(() => window.__stofka.connection.link === 'open');
    await mock({ world: { status: { exchange: 'down', text: 'next try in 2 s' } } });
    await tab.until(() =>
      document.querySelector('.notice')?.textContent.includes('next try in 2 s'),
    );
    await picture(tab.page, 'never-reached');
    await mock({ world: { unlisted: false, status: { exchange: 'live' } } });
    await ready(tab);
    await badge(tab.page, 'live');
    await tab.page.locator('.row').first().waitFor();
    await tab.close();
  },
);

test(
  'a server that can not be reached is said, and the page starts by itself',
  options,
  async () => {
    const api = /\/(markets|candles|status|gaps|stream)/;
    const tab = await browser.open({
      alone: true,
      setUp: (page) => page.route(api, (route) => route.abort('connectionrefused')),
    });
    await badge(tab.page, 'offline');
    assert.match(await tab.page.locator('.notice').textContent(), /Stofka can't be reached/);
    await picture(tab.page, 'offline');
    await tab.page.unroute(api);
    await ready(tab);
    await badge(tab.page, 'live');
    await tab.page.locator('.row').first().waitFor();
    await tab.close();
  },
);

test('a gap is shown while it is open', options, async () => {
  const tab = await browser.open({ alone: true });
  await ready(tab);
  const from = new Date(Date.now() - 4000).toISOString();
  const gap = { code: 'KRW-BTC', from, to: null, reason: 'disconnected', state: 'open' };
  await mock({ say: ['gap', gap] });
  await badge(tab.page, 'gap');
  const before = tab.requests.length;
  const to = new Date().toISOString();
  await mock({ say: ['gap', { ...gap, to, state: 'healed' }] });
  await tab.page.locator('[data-badge=gap]').waitFor({ state: 'detached' });
  assert.ok(tab.requests.slice(before).some((request) => request.includes('/candles?')));
  await withoutHole(tab.page);
  await tab.close();
});

test('a tab that slept goes on without a hole', options, async () => {
  const tab = await browser.open({ alone: true });
  await ready(tab);
  const session = await tab.page.context().newCDPSession(tab.page);
  const last = await tab.page.evaluate(() => window.__stofka.last.start);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  await mock({ drop: true });
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  await tab.until((start) => window.__stofka.last.start > start + 4, last);
  await withoutHole(tab.page);
  await tab.close();
});

test('what is not the live market is named, and a hover explains it', options, async () => {
  const names = { simulated: /not real prices/, replay: /not current prices/, imported: /file/ };
  const tab = await browser.open();
  await ready(tab);
  for (const [source, hint] of Object.entries(names)) {
    await mock({ world: { status: { exchange: 'live', source } } });
    await badge(tab.page, source);
    assert.match(await tab.page.locator(`[data-badge=${source}]`).getAttribute('title'), hint);
  }
  await mock({ world: { status: { exchange: 'live' } } });
  await badge(tab.page, 'simulated');
  await tab.close();
});
