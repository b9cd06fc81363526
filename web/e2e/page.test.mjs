// SPDX-License-Identifier: Apache-2.0
// What a person sees, against any server with a simulated market: STOFKA_URL=http://… or the mock.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { picture, ready, startBrowser, starts } from './browser.mjs';

let browser;
before(async () => (browser = await startBrowser({ program: true })));
after(() => browser.close());

const INTERVALS = ['1s', '1m', '3m', '5m', '10m', '15m', '30m', '1h', '4h', '1d', '1w', '1M'];

test('list, header, chart and badges appear, from this server alone and without an error', async () => {
  const tab = await browser.open({ alone: true });
  const { page, faults, requests } = tab;
  await ready(tab);
  await page.locator('.row').nth(4).waitFor();
  const counted = await page.evaluate(() => window.__stofka.markets);
  assert.ok(counted >= 5, `${counted} markets`);
  await page.locator('[data-badge=simulated]').waitFor();
  await page.locator('[data-badge=live]').waitFor();
  assert.equal(await page.locator('[data-badge=simulated]').textContent(), 'SIMULATED');
  assert.match(await page.locator('.header-now').textContent(), /^[\d,.]+$/);
  await page.locator('.behind').waitFor();
  assert.match(await page.locator('.behind').textContent(), /^\d+ m?s behind$/);
  const streams = requests.filter((request) => /GET .*\/stream\?/.test(request));
  assert.equal(streams.length, 1, 'one EventSource a tab');
  await picture(page, 'desktop');
  assert.deepEqual(faults, []);
  await tab.close();
});

test('the second chart is being drawn', async () => {
  const tab = await browser.open();
  await ready(tab);
  const first = await tab.page.evaluate(() => window.__stofka.last.start);
  const draws = await tab.page.evaluate(() => window.__stofka.draws);
  await tab.until((start) => window.__stofka.last.start >= start + 3, first);
  assert.ok((await tab.page.evaluate(() => window.__stofka.draws)) > draws);
  await starts(tab.page);
  await tab.close();
});

test('every interval shows its own candles, live, on the same chart', async () => {
  const tab = await browser.open({ alone: true });
  const { page, until } = tab;
  await ready(tab);
  await page.evaluate(() => (document.querySelector('.chart-canvas > *').mark = 1));
  for (const interval of [...INTERVALS.slice(1), '1s']) {
    await page.locator(`[data-interval="${interval}"]`).click();
    await until((wanted) => {
      const { chart, last } = window.__stofka;
      return chart.phase === 'ready' && last?.interval === wanted;
    }, interval);
    await starts(page);
    const before = await page.evaluate(() => window.__stofka.last);
    await until(({ start, volume }) => {
      const { last } = window.__stofka;
      return last.start > start || last.volume !== volume;
    }, before);
  }
  assert.equal(await page.evaluate(() => document.querySelector('.chart-canvas > *').mark), 1);
  assert.equal(tab.requests.filter((request) => /GET .*\/stream\?/.test(request)).length, 1);
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('a market is found and chosen, and the address remembers it', async () => {
  const tab = await browser.open();
  const { page, until } = tab;
  await ready(tab);
  const code = await page.locator('.row').nth(3).getAttribute('data-code');
  await page.locator('.search input').fill(code);
  await page.locator(`.row[data-code="${code}"]`).click();
  await until((wanted) => {
    const { chart, last } = window.__stofka;
    return chart.phase === 'ready' && last?.code === wanted;
  }, code);
  assert.ok(page.url().includes(`code=${code}`));
  await page.reload();
  await ready(tab);
  assert.equal(await page.evaluate(() => window.__stofka.last.code), code);
  await tab.close();
});

test('Korean and English', async () => {
  const tab = await browser.open({ locale: 'ko-KR' });
  await ready(tab);
  assert.equal(await tab.page.locator('[data-interval="1h"]').textContent(), '1시간');
  assert.equal(await tab.page.getAttribute('html', 'lang'), 'ko');
  await tab.page.locator('.top-language').click();
  assert.equal(await tab.page.locator('[data-interval="1h"]').textContent(), '1h');
  await tab.page.reload();
  await ready(tab);
  assert.equal(await tab.page.getAttribute('html', 'lang'), 'en');
  await tab.close();
});

test('on a phone all of it fits the width', async () => {
  const viewport = { width: 360, height: 740 };
  const tab = await browser.open({ viewport, hasTouch: true, isMobile: true, locale: 'ko-KR' });
  await ready(tab);
  await tab.page.locator('.header-now').waitFor();
  const width = await tab.page.evaluate(() => document.documentElement.scrollWidth);
  assert.equal(width, viewport.width);
  await picture(tab.page, 'phone');
  await tab.close();
});
