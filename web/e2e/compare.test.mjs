// SPDX-License-Identifier: Apache-2.0
// Two markets on one chart.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { picture, ready, startBrowser } from './browser.mjs';

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser.close());

test('a second market in percent, with its own figures, live, through time, and in a link', async () => {
  const tab = await browser.open({ path: '/?interval=1m', alone: true });
  const { page, until } = tab;
  await ready(tab);
  await page.locator('[data-tool=compare]').selectOption('KRW-ETH');
  const legend = page.locator('.compare-legend');
  await legend.locator('span').nth(1).waitFor();
  const text = await legend.textContent();
  assert.match(text, /^ETH\/KRW[\d,]+[-+]?[\d.]+%/);
  const box = await page.locator('.chart-canvas').boundingBox();
  await page.mouse.move(box.x + 400, box.y + 200);
  await until((old) => document.querySelector('.compare-legend').textContent !== old, text);
  // The figure is the other market's close at the time of the bar under the pointer.
  const [shown, close] = await page.evaluate(async () => {
    const start = Number(document.querySelector('.legend').dataset.start);
    const to = new Date((start + 60) * 1000).toISOString();
    const answer = await fetch(`/candles?code=KRW-ETH&interval=1m&count=1&to=${to}`);
    const [candle] = await answer.json();
    return [document.querySelector('.compare-legend span').textContent, candle.trade_price];
  });
  assert.equal(Number(shown.replaceAll(',', '')), close);
  await picture(page, 'compare');
  assert.match(page.url(), /vs=KRW-ETH/);
  for (let pull = 0; pull < 4; pull += 1) {
    await page.mouse.move(box.x + 100, box.y + 200);
    await page.mouse.down();
    await page.mouse.move(box.x + 900, box.y + 200, { steps: 4 });
    await page.mouse.up();
  }
  await until(() => document.querySelectorAll('.compare-legend span').length === 2);
  await page.locator('[data-interval="1h"]').click();
  await until(() => window.__stofka.last.interval === '1h');
  await page.reload();
  await ready(tab);
  await legend.locator('span').nth(1).waitFor();
  await picture(page, 'compare-1h');
  await legend.locator('button').click();
  await legend.waitFor({ state: 'detached' });
  assert.doesNotMatch(page.url(), /vs=/);
  assert.deepEqual(tab.faults, []);
  await tab.close();
});
