// SPDX-License-Identifier: Apache-2.0
// How the chart looks, against any server with a simulated market: STOFKA_URL=http://… or the mock.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { picture, ready, startBrowser, starts } from './browser.mjs';
import { assertTrue } from './truth.mjs';

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

/** What the canvas was given to write lately; hidden from the page, and from nobody else. */
const noteWords = (page) =>
  page.addInitScript(() => {
    const words = (window.words = []);
    const { prototype } = CanvasRenderingContext2D;
    const { fillText } = prototype;
    prototype.fillText = function (text, ...place) {
      if (words.push(text) > 400) words.shift();
      return fillText.call(this, text, ...place);
    };
  });

/** The axis says this, newly. */
async function written({ page, until }, pattern) {
  await page.evaluate(() => (window.words.length = 0));
  await until((source) => window.words.some((word) => new RegExp(source).test(word)), pattern);
}

test('a countdown to the close, by the exchange’s clock, beneath the last price', async () => {
  const setUp = async (page) => {
    await page.clock.install({ time: new Date('2019-03-04T05:06:07Z') });
    await noteWords(page);
  };
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
  await written(tab, '^\\d\\d:\\d\\d$');
  await tab.page.locator('[data-interval="1s"]').click();
  await tab.until(() => document.querySelector('.countdown').textContent === '');
  await tab.close();
});

test('the legend: all of the candle under the pointer, change and rate from the one before', async () => {
  const tab = await browser.open({ path: '/?interval=1m' });
  const { page } = tab;
  await ready(tab);
  const box = await page.locator('.chart-canvas').boundingBox();
  await page.mouse.move(box.x + 400, box.y + 200);
  await tab.until(() => {
    const start = Number(document.querySelector('.legend').dataset.start);
    return start < window.__stofka.last.start;
  });
  const [text, change, rate, figures, candle] = await page.evaluate(() => {
    const start = Number(document.querySelector('.legend').dataset.start);
    const { candles } = window.__stofka;
    const at = candles.findIndex((candle) => candle.start === start);
    const change = Number(candles[at].close) - Number(candles[at - 1].close);
    const rate = (change / Number(candles[at - 1].close)) * 100;
    const figures = [...document.querySelectorAll('.legend dt + dd')].map((dd) => dd.textContent);
    return [
      document.querySelector('.legend-change').textContent,
      change,
      rate,
      figures,
      candles[at],
    ];
  });
  const units = { K: 1e3, M: 1e6, B: 1e9, T: 1e12 };
  const numbers = figures.map((figure) => {
    const [, digits, unit] = /^([\d,.]+)(\D?)$/.exec(figure);
    return Number(digits.replaceAll(',', '')) * (units[unit] ?? 1);
  });
  const { open, high, low, close, volume, amount } = candle;
  assert.deepEqual(numbers.slice(0, 4), [open, high, low, close].map(Number));
  for (const [at, exact] of [volume, amount].entries()) {
    assert.ok(Math.abs(numbers[4 + at] / Number(exact) - 1) < 0.006, `${figures} ${exact}`);
  }
  const [, shown, percent] = /^([-+]?[\d,.]+) \(([-+]?[\d.]+)%\)$/.exec(text);
  assert.equal(Number(shown.replaceAll(',', '')), change);
  assert.ok(Math.abs(Number(percent) - rate) <= 0.0051, `${percent} ${rate}`);
  await tab.close();
});

test('kinds and scales change on the same chart and stay', async () => {
  const tab = await browser.open({ path: '/?interval=1m', setUp: noteWords });
  const { page, until } = tab;
  await ready(tab);
  await page.evaluate(() => (document.querySelector('.chart-canvas > *').mark = 1));
  for (const kind of ['hollow', 'heikin', 'line', 'area', 'candles']) {
    await pick(page, 'kind', kind);
    const draws = await page.evaluate(() => window.__stofka.draws);
    await until((seen) => window.__stofka.draws > seen + 1, draws);
    await picture(page, `kind-${kind}`);
  }
  for (const [scale, label] of [
    ['percent', '^-?\\d+\\.\\d\\d%$'],
    ['log', '^\\d{1,3}(,\\d{3})+$'],
  ]) {
    await pick(page, 'scale', scale);
    await written(tab, label);
    await picture(page, `scale-${scale}`);
  }
  assert.equal(await page.evaluate(() => document.querySelector('.chart-canvas > *').mark), 1);
  await page.reload();
  await ready(tab);
  assert.equal(await page.locator('[data-tool=scale]').inputValue(), 'log');
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('where there was no trade there is nothing, and all else is the API’s', async () => {
  const tab = await browser.open({ path: '/?code=KRW-SHIB' });
  await ready(tab);
  const list = await starts(tab.page);
  const holes = list.filter((start, at) => at > 0 && start > list[at - 1] + 1);
  assert.ok(holes.length > 0, `${list.length} seconds without a hole`);
  assert.ok((await assertTrue(tab, browser.url)) > 0);
  await tab.close();
});
