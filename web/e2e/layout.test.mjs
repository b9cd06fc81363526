// SPDX-License-Identifier: Apache-2.0
// Several charts at once, and links that carry what they show.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { picture, ready, startBrowser } from './browser.mjs';

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser.close());

const focus = async (page, at) => {
  const pane = page.locator('.pane').nth(at);
  await pane.locator('.chart-canvas').focus();
  await page.locator(`.pane:nth-child(${at + 1})[data-focused=true]`).waitFor();
};

const shown = (page) =>
  page.evaluate(() => window.__stofka.charts.map(({ last }) => `${last?.code} ${last?.interval}`));

test('four charts, each its own market and interval, on one stream; they come back', async () => {
  const tab = await browser.open({ path: '/?interval=1m', alone: true });
  const { page, until, requests } = tab;
  await ready(tab);
  await page.locator('[data-layout-pick="4"]').click();
  await until(() => window.__stofka.charts.every(({ bars }) => bars > 0));
  await focus(page, 1);
  await page.locator('.row[data-code="KRW-ETH"]').click();
  await page.locator('.pane').nth(2).locator('.chart-canvas').click();
  await page.locator('.pane:nth-child(3)[data-focused=true]').waitFor();
  await page.keyboard.press('4');
  await page.locator('[data-tool=kind]').selectOption('line');
  await until(() => {
    const [, second, third] = window.__stofka.charts;
    return second.last?.code === 'KRW-ETH' && third.last?.interval === '5m';
  });
  assert.deepEqual(await shown(page), ['KRW-BTC 1m', 'KRW-ETH 1m', 'KRW-BTC 5m', 'KRW-BTC 1d']);
  assert.equal(requests.filter((one) => /GET .*\/stream\?/.test(one)).length, 1);
  const before = await page.evaluate(() => window.__stofka.charts.map(({ draws }) => draws));
  await until((seen) => window.__stofka.charts.every(({ draws }, at) => draws > seen[at]), before);
  await picture(page, 'layout-four');
  const kinds = async () => {
    const kinds = [];
    for (const at of [0, 2]) {
      await focus(page, at);
      kinds.push(await page.locator('[data-tool=kind]').inputValue());
    }
    return kinds;
  };
  assert.deepEqual(await kinds(), ['candles', 'line']);
  assert.match(page.url(), /layout=4/);
  const link = page.url();

  // Elsewhere, by the link; and here, without one.
  const other = await browser.open({ path: link.slice(browser.url.length) });
  await other.until(() => window.__stofka.charts.every(({ bars }) => bars > 0));
  assert.deepEqual(await shown(other.page), await shown(page));
  await other.close();
  await page.goto(`${browser.url}/`);
  await until(() => window.__stofka?.charts.every(({ bars }) => bars > 0));
  assert.equal((await shown(page)).length, 4);
  assert.deepEqual(await kinds(), ['candles', 'line']);
  await page.locator('[data-layout-pick="1"]').click();
  await until(() => window.__stofka.charts.length === 1);
  assert.doesNotMatch(page.url(), /code2|kind3|layout/);
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('a link carries the range: the same bars at the same width', async () => {
  const tab = await browser.open({ path: '/?interval=1m&zone=utc' });
  const { page, until } = tab;
  await ready(tab);
  const newest = await page.evaluate(() => window.__stofka.last.start);
  const wanted = newest - 3 * 86_400 - (newest % 3600);
  await page.locator('[data-tool=goTo]').click();
  await page.locator('.go-to input').fill(new Date(wanted * 1000).toISOString().slice(0, 16));
  await page.locator('.go-to input').press('Enter');
  await until(() => window.__stofka.view.at !== null);
  await page.locator('.chart-canvas').focus();
  await page.keyboard.press('-');
  await until(() => /[?&]at=.*bars=/.test(location.search));
  const view = await page.evaluate(() => window.__stofka.view);
  await until((at) => location.search.includes(`bars=${at}`), view.bars);
  const other = await browser.open({ path: page.url().slice(browser.url.length) });
  await ready(other);
  await other.until(({ at }) => {
    const { chart, candles } = window.__stofka;
    return !chart.atHead && candles.some(({ start }) => start === at);
  }, view);
  // The legend tells of the bar under the pointer: the same one at the same place.
  const under = async ({ page: one }) => {
    const box = await one.locator('.chart-canvas').boundingBox();
    await one.mouse.move(box.x + 500, box.y + 200);
    await one.mouse.move(box.x + 501, box.y + 200);
    return Number(await one.locator('.legend').getAttribute('data-start'));
  };
  const [here, there] = [await under(tab), await under(other)];
  assert.ok(Math.abs(here - there) <= 2 * 60, `${here} ${there}`);
  await picture(other.page, 'range-by-link');
  await other.close();
  await page.locator('.to-newest').click();
  await until(() => !location.search.includes('at='));
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('where KRW-BTC is not to be had, the page opens with a market that is', async () => {
  const setUp = async (page) => {
    await page.route('**/candles?code=KRW-BTC*', (route) => route.fulfill({ status: 404 }));
    await page.route('**/markets', async (route) => {
      const rows = await (await route.fetch()).json();
      await route.fulfill({ json: rows.filter(({ code }) => code !== 'KRW-BTC') });
    });
  };
  const tab = await browser.open({ path: '/?interval=1m', alone: true, setUp });
  await ready(tab);
  const [first] = await shown(tab.page);
  assert.match(first, /^KRW-(?!BTC )[A-Z]+ 1m$/);
  assert.match(tab.page.url(), /code=KRW-(?!BTC&)/);
  await tab.close();
  // A link that names a market is not answered with another.
  const asked = await browser.open({ path: '/?code=KRW-NONE', alone: true });
  await asked.until(() => window.__stofka.chart.phase === 'unknown');
  await asked.close();
});
