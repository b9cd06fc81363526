// SPDX-License-Identifier: Apache-2.0
// What the chart's tools do, against any server with a simulated market: STOFKA_URL=http://… or the mock.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { external, keep, picture, ready, startBrowser } from './browser.mjs';
import { tellMock } from './mock-server.mjs';

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser.close());

test('bands where the market was not heard, marks where a candle was repaired', async (context) => {
  if (external) return context.skip('a server of its own has its own gaps');
  const now = Math.floor(Date.now() / 60_000) * 60_000;
  const at = (minutes) => new Date(now - minutes * 60_000).toISOString();
  const gap = (from, to, state, reason) => ({
    code: 'KRW-BTC',
    from: at(from),
    to: to === null ? null : at(to),
    reason,
    state,
  });
  const gaps = [gap(80, 75, 'lost', 'disconnected'), gap(60, 50, 'healed', 'stalled')];
  const setUp = (page) => page.route('**/gaps?*', (route) => route.fulfill({ json: gaps }));
  const repaired = [at(52), at(30)].map((time) => time.slice(0, 19));
  await tellMock(browser.url, { world: { repaired } });
  const tab = await browser.open({ path: '/?interval=1m', setUp });
  const { page, until } = tab;
  await ready(tab);
  const told = gap(3, null, 'open', 'disconnected');
  await tellMock(browser.url, { say: ['gap', told] });
  await page.locator('[data-badge=gap]').waitFor();
  const box = await page.locator('.chart-canvas').boundingBox();
  const noteAt = async (minutes) => {
    // Found by moving over the bar: the legend says which one is under the pointer.
    const wanted = now / 1000 - minutes * 60;
    for (let x = box.width - 80; x > 60; x -= 6) {
      await page.mouse.move(box.x + x, box.y + 300);
      const start = await page.locator('.legend').getAttribute('data-start');
      if (Number(start) === wanted) return page.locator('.gap-note').allTextContents();
    }
    throw new Error(`no bar ${minutes} minutes ago`);
  };
  assert.match((await noteAt(2))[0], /^Not heard .* disconnected$/);
  assert.deepEqual(await noteAt(20), []);
  assert.match((await noteAt(55))[0], /^Gap, healed .* KST · stalled$/);
  await picture(page, 'gaps');
  assert.match((await noteAt(78))[0], /^Gap, lost for good .* disconnected$/);
  assert.match((await noteAt(52))[0], /^Repaired after closing, 2× .* stalled$/);
  assert.deepEqual(await noteAt(30), [
    'Repaired after closing, 2× the exchange corrected it later',
  ]);
  await page.locator('[data-tool=healed]').click();
  assert.deepEqual(await noteAt(55), []);
  await until(() => location.search.includes('healed=hidden'));
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('indicators are added, changed and removed, follow the prices, and travel', async () => {
  const tab = await browser.open({ path: '/?interval=1m' });
  const { page, until } = tab;
  await ready(tab);
  const legend = () => page.locator('.study-legend span').allTextContents();
  await page.locator('[data-tool=studies]').click();
  for (const kind of ['sma', 'bb', 'rsi', 'macd']) await page.locator(`[data-add=${kind}]`).click();
  assert.equal((await legend()).length, 4);
  await picture(page, 'indicators-menu');
  await page.locator('[data-study=sma20] input').fill('5');
  await page.locator('[data-study=sma5]').waitFor();
  await page.locator('[data-study=bb20-2] button').click();
  await page.keyboard.press('Escape');
  await page.locator('.study-menu').waitFor({ state: 'hidden' });
  await page.mouse.move(0, 0); // away from the chart: the legend then tells of the newest candle
  assert.match(page.url(), /studies=sma5_rsi14_macd12-26-9/);
  await page.reload();
  await ready(tab);
  // The average of the last five closes, the forming candle's too, a moment after it has moved.
  await until(() => {
    const text = document.querySelector('.study-legend span')?.textContent ?? '';
    const shown = Number(text.replace(/^SMA 5: /, '').replaceAll(',', ''));
    const closes = window.__stofka.candles.slice(-5).map(({ close }) => Number(close));
    const mean = closes.reduce((sum, close) => sum + close, 0) / 5;
    return Math.abs(shown - mean) < 1;
  });
  const figures = await legend();
  assert.match(figures[1], /^RSI 14: \d{1,3}\.\d\d$/);
  assert.match(figures[2], /^MACD 12 26 9: [-\d,]+ · [-\d,]+ · [-\d,]+$/);
  await page.locator('[data-interval="5m"]').click();
  await until(() => window.__stofka.last.interval === '5m');
  await page.locator('.row').nth(6).click();
  await until(() => window.__stofka.last.code !== 'KRW-BTC');
  await picture(page, 'indicators');
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('the chart as a picture, the candles in view as CSV', async () => {
  const tab = await browser.open({ path: '/?interval=1m' });
  const { page } = tab;
  await ready(tab);
  const saved = async (tool) => {
    const download = page.waitForEvent('download');
    await page.locator(`[data-tool=${tool}]`).click();
    const file = await download;
    return [file.suggestedFilename(), await readFile(await file.path())];
  };
  const [name, image] = await saved('picture');
  assert.match(name, /^KRW-BTC_1m_\d{14}\.png$/);
  assert.equal(image.subarray(1, 4).toString(), 'PNG');
  assert.ok(image.length > 10_000, `${image.length} bytes`);
  keep('saved.png', image);
  const [, csv] = await saved('csv');
  const [header, ...rows] = csv.toString().trim().split('\n');
  assert.match(header, /^code,interval,candle_date_time_utc,opening_price/);
  assert.ok(rows.length > 50 && rows.length < 300, `${rows.length} rows`);
  const [, , time, , , , close] = rows[3].split(',');
  const candle = await page.evaluate(
    (start) => window.__stofka.candles.find((one) => one.start === start),
    Date.parse(`${time}Z`) / 1000,
  );
  assert.equal(close, candle.close);
  assert.deepEqual(tab.faults, []);
  await tab.close();
});
