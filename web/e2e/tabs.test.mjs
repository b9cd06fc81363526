// SPDX-License-Identifier: Apache-2.0
// Many tabs, one stream.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { external, ready, startBrowser, starts } from './browser.mjs';
import { tellMock } from './mock-server.mjs';

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser.close());

const options = { skip: external ? 'STOFKA_URL is set' : false };

const mock = (change) => tellMock(browser.url, change);
const counts = async () => (await fetch(`${browser.url}/mock`)).json();

async function until(predicate) {
  const end = Date.now() + 15_000;
  while (!(await predicate())) assert.ok(Date.now() < end, 'in time');
}

async function sixTabs() {
  const places = ['BTC:1s', 'ETH:1m', 'XRP:1h', 'BTC:1s', 'SOL:1d', 'DOGE:3m'];
  const tabs = [];
  for (const place of places) {
    const [base, interval] = place.split(':');
    const path = `/?code=KRW-${base}&interval=${interval}`;
    tabs.push(await browser.open({ path, beside: tabs[0] }));
  }
  for (const tab of tabs) await ready(tab);
  return tabs;
}

const moving = async (tab) => {
  const before = await tab.page.evaluate(() => window.__stofka.last);
  await tab.until(
    ({ start, volume }) =>
      window.__stofka.last.start > start || window.__stofka.last.volume !== volume,
    before,
  );
};

const whole = async ({ page }) => {
  const list = await starts(page);
  list.forEach((start, at) => {
    if (at > 0) assert.equal(start, list[at - 1] + 1);
  });
};

test(
  'six tabs, one connection, each its own chart; what nobody shows is let go',
  options,
  async () => {
    const opened = (await counts()).opened;
    const tabs = await sixTabs();
    const now = await counts();
    assert.equal(now.open, 1);
    assert.equal(now.opened, opened + 1);
    assert.equal(now.subs[0].length, 6, `${now.subs[0]}`);
    for (const tab of tabs) {
      await tab.page.bringToFront();
      await moving(tab);
      assert.deepEqual(tab.faults, []);
    }
    await whole(tabs[0]);
    await tabs[5].close();
    await until(async () => (await counts()).subs[0].length === 5);
    await tabs[0].close();
    await until(async () => (await counts()).open === 0);
  },
);

test('a server that starts anew and a line that breaks, in every tab', options, async () => {
  const tabs = [await browser.open()];
  tabs.push(await browser.open({ beside: tabs[0] }));
  for (const tab of tabs) await ready(tab);
  await mock({ drop: true });
  for (const tab of tabs) {
    await tab.page.bringToFront();
    await moving(tab);
  }
  await mock({ world: { epoch: `m${Date.now()}` }, drop: true });
  for (const tab of tabs) {
    await tab.page.bringToFront();
    await tab.until(() => window.__stofka.connection.link === 'open');
    await moving(tab);
    await whole(tab);
  }
  assert.equal((await counts()).open, 1);
  await tabs[0].close();
});

test('a tab that slept goes on without a hole', options, async () => {
  const tab = await browser.open();
  await ready(tab);
  const session = await tab.page.context().newCDPSession(tab.page);
  const last = await tab.page.evaluate(() => window.__stofka.last.start);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  await mock({ drop: true });
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  await tab.until((start) => window.__stofka.last.start > start + 4, last);
  await whole(tab);
  await tab.close();
});

test('an unknown market in one tab leaves the others alone', options, async () => {
  const tab = await browser.open();
  await ready(tab);
  const { opened } = await counts();
  const other = await browser.open({ path: '/?code=KRW-NONE', beside: tab });
  await other.until(() => window.__stofka.chart.phase === 'unknown');
  await tab.page.bringToFront();
  await moving(tab);
  assert.equal((await counts()).opened, opened);
  await tab.close();
});
