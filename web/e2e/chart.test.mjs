// SPDX-License-Identifier: Apache-2.0
// The chart's tools, against any server with a simulated market: STOFKA_URL=http://… or the mock.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { external, picture, ready, startBrowser } from './browser.mjs';

let browser;
before(async () => (browser = await startBrowser()));
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
  const tab = await browser.open({ path: '/?interval=1m', setUp });
  const { page, until } = tab;
  await ready(tab);
  const told = gap(3, null, 'open', 'disconnected');
  await page.request.post(`${browser.url}/mock`, { data: { say: ['gap', told] } });
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
