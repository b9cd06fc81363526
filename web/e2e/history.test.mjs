// SPDX-License-Identifier: Apache-2.0
// The way back in time, against any server with a simulated market: STOFKA_URL=http://… or the mock.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ready, startBrowser, starts } from './browser.mjs';

const CAPACITY = 5000;
const MOST_PULLS = 150;

let browser;
before(async () => (browser = await startBrowser({ program: true })));
after(() => browser.close());

test('history comes in as the chart is pulled to the right', async () => {
  const tab = await browser.open({ path: '/?interval=1m' });
  const { page, until } = tab;
  await ready(tab);
  const [first, before] = await page.evaluate(() => [
    window.__stofka.first.start,
    window.__stofka.bars,
  ]);
  const alone = await page.evaluate(() => window.__stofka.chart.beginning);
  const box = await page.locator('.chart-canvas').boundingBox();
  for (let pull = 0; pull < 6 && !alone; pull += 1) {
    await page.mouse.move(box.x + 100, box.y + 200);
    await page.mouse.down();
    await page.mouse.move(box.x + 900, box.y + 200, { steps: 4 });
    await page.mouse.up();
  }
  await until(
    ([start, bars]) =>
      window.__stofka.chart.beginning ||
      (window.__stofka.first.start < start && window.__stofka.bars > bars),
    [first, before],
  );
  await starts(page);
  await page.locator('.to-newest').click();
  await page.locator('.to-newest').waitFor({ state: 'detached' });
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('pages that come in and go out do not move what is looked at', async (context) => {
  const tab = await browser.open({ path: '/?interval=1m' });
  const { page, until } = tab;
  await ready(tab);
  const box = await page.locator('.chart-canvas').boundingBox();
  const y = box.y + 200;
  const pull = async () => {
    await page.mouse.move(box.x + 20, y);
    await page.mouse.down();
    await page.mouse.move(box.x + 880, y, { steps: 3 });
    await page.mouse.up();
  };
  const looked = async () => {
    await page.mouse.move(box.x + 401, y);
    await page.mouse.move(box.x + 400, y);
    return page.locator('.legend-time').textContent();
  };
  const waiting = [];
  await page.route('**/candles?*to=*', async (route) => {
    await new Promise((resolve) => waiting.push(resolve));
    await route.continue();
  });
  let compared = 0;
  let trimmed = 0;
  for (let pulls = 0; pulls < MOST_PULLS && trimmed < 2; pulls += 1) {
    await pull();
    const held = waiting.shift();
    if (!held) continue;
    const before = await page.evaluate(() => [window.__stofka.first.start, window.__stofka.bars]);
    const time = await looked();
    held();
    await until(([start]) => {
      const { first, chart } = window.__stofka;
      return first.start < start || chart.beginning;
    }, before);
    assert.equal(await looked(), time);
    compared += 1;
    if (before[1] === CAPACITY) trimmed += 1;
    if (await page.evaluate(() => window.__stofka.chart.beginning)) break;
  }
  await starts(page);
  context.diagnostic(`${compared} pages, ${trimmed} of them beyond ${CAPACITY} bars`);
  assert.ok(trimmed > 0);
  await tab.close();
});

test('the market’s beginning is marked, and it is the API’s', async () => {
  const tab = await browser.open({ path: '/?interval=1d' });
  const { page, until } = tab;
  await ready(tab);
  await until(() => window.__stofka.chart.beginning);
  await page.locator('.chart-canvas').focus();
  for (let times = 0; times < 40; times += 1) await page.keyboard.press('ArrowLeft');
  await page.locator('.beginning').waitFor();
  const oldest = await page.evaluate(() => window.__stofka.first.start);
  const answer = await fetch(`${browser.url}/candles?code=KRW-BTC&interval=1d&count=1000`);
  const { candle_date_time_utc: time } = (await answer.json()).at(-1);
  assert.equal(new Date(oldest * 1000).toISOString().slice(0, 19), time);
  await tab.close();
});
