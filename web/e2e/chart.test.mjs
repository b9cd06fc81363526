// SPDX-License-Identifier: Apache-2.0
// How the chart looks, against any server with a simulated market: STOFKA_URL=http://… or the mock.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { picture, ready, startBrowser } from './browser.mjs';

let browser;
before(async () => (browser = await startBrowser({ program: true })));
after(() => browser.close());

const pick = (page, tool, value) => page.locator(`[data-tool=${tool}]`).selectOption(value);

test('times in Korea’s, UTC’s and the reader’s zone; the choice stays and travels', async () => {
  const tab = await browser.open({ path: '/?interval=1m', timezoneId: 'America/New_York' });
  const { page } = tab;
  await ready(tab);
  const read = async () => {
    // The crosshair's bar stays where it is while new ones come.
    const text = await page.locator('.legend-time').textContent();
    const start = Number(await page.locator('.legend').getAttribute('data-start'));
    const [, time] = /(\d{4}-\d\d-\d\d \d\d:\d\d)/.exec(text);
    return { text, ahead: Date.parse(`${time.replace(' ', 'T')}Z`) / 1000 - start };
  };
  const korea = await read();
  assert.match(korea.text, /KST$/);
  assert.equal(korea.ahead, 9 * 3600);
  await pick(page, 'zone', 'utc');
  assert.equal((await read()).ahead, 0);
  await pick(page, 'zone', 'local');
  const local = await read();
  assert.match(local.text, /UTC-[45]$/);
  assert.ok(local.ahead === -5 * 3600 || local.ahead === -4 * 3600, `${local.ahead}`);
  assert.match(page.url(), /zone=local/);
  await page.locator('[data-interval="5m"]').click();
  assert.match(page.url(), /interval=5m.*zone=local/);
  await page.reload();
  await ready(tab);
  assert.match((await read()).text, /UTC-[45]$/);
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('a countdown to the close, by the exchange’s clock', async () => {
  const setUp = (page) => page.clock.install({ time: new Date('2019-03-04T05:06:07Z') });
  const tab = await browser.open({ path: '/?interval=1h', setUp });
  await ready(tab);
  await tab.until(() => /^\d\d:\d\d$/.test(document.querySelector('.countdown').textContent));
  const [shown, newest] = await tab.page.evaluate(() => [
    document.querySelector('.countdown').textContent,
    window.__stofka.last,
  ]);
  const [minutes, seconds] = shown.split(':').map(Number);
  const left = newest.start + 3600 - newest.timestamp / 1000;
  assert.ok(Math.abs(minutes * 60 + seconds - left) < 10, `${shown}, ${left} s`);
  await tab.page.locator('[data-interval="1s"]').click();
  await tab.until(() => document.querySelector('.countdown').textContent === '');
  await tab.close();
});

test('the legend: change and rate from the candle before', async () => {
  const tab = await browser.open({ path: '/?interval=1m' });
  const { page } = tab;
  await ready(tab);
  const box = await page.locator('.chart-canvas').boundingBox();
  await page.mouse.move(box.x + 400, box.y + 200);
  await tab.until(() => {
    const start = Number(document.querySelector('.legend').dataset.start);
    return start < window.__stofka.last.start;
  });
  const [text, change, rate] = await page.evaluate(() => {
    const start = Number(document.querySelector('.legend').dataset.start);
    const { candles } = window.__stofka;
    const at = candles.findIndex((candle) => candle.start === start);
    const change = Number(candles[at].close) - Number(candles[at - 1].close);
    const rate = (change / Number(candles[at - 1].close)) * 100;
    return [document.querySelector('.legend-change').textContent, change, rate];
  });
  const [, shown, percent] = /^([-+]?[\d,.]+) \(([-+]?[\d.]+)%\)$/.exec(text);
  assert.equal(Number(shown.replaceAll(',', '')), change);
  assert.ok(Math.abs(Number(percent) - rate) <= 0.0051, `${percent} ${rate}`);
  await tab.close();
});

test('kinds and scales change on the same chart and stay', async () => {
  const tab = await browser.open({ path: '/?interval=1m' });
  const { page, until } = tab;
  await ready(tab);
  await page.evaluate(() => (document.querySelector('.chart-canvas > *').mark = 1));
  for (const kind of ['hollow', 'heikin', 'line', 'area', 'candles']) {
    await pick(page, 'kind', kind);
    const draws = await page.evaluate(() => window.__stofka.draws);
    await until((seen) => window.__stofka.draws > seen + 1, draws);
    await picture(page, `kind-${kind}`);
  }
  for (const scale of ['percent', 'log']) {
    await pick(page, 'scale', scale);
    await picture(page, `scale-${scale}`);
  }
  assert.equal(await page.evaluate(() => document.querySelector('.chart-canvas > *').mark), 1);
  await page.reload();
  await ready(tab);
  assert.equal(await page.locator('[data-tool=scale]').inputValue(), 'log');
  assert.deepEqual(tab.faults, []);
  await tab.close();
});
