// SPDX-License-Identifier: Apache-2.0
// The page in a hand.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { picture, ready, startBrowser } from './browser.mjs';

let browser;
before(async () => (browser = await startBrowser({ program: true })));
after(() => browser.close());

const TOUCH_PX = 44;
const phone = {
  viewport: { width: 360, height: 740 },
  hasTouch: true,
  isMobile: true,
  locale: 'ko-KR',
};

/** Visible buttons that a finger would miss; the library's own mark is not one. */
const small = (page, within) =>
  page.locator(`${within} :is(button, input)`).evaluateAll(
    (all, least) =>
      all
        .filter((one) => one.checkVisibility({ visibilityProperty: true }))
        .map((one) => [one.className || one.dataset.column, one.getBoundingClientRect()])
        .filter(([, { width, height }]) => width < least || height < least)
        .map(([name, { width, height }]) => `${name} ${width}×${height}`),
    TOUCH_PX,
  );

const width = (page) => page.evaluate(() => document.documentElement.scrollWidth);

test('the list is a sheet: pulled up, searched, and away when a market is chosen', async () => {
  const tab = await browser.open(phone);
  const { page, until } = tab;
  await ready(tab);
  assert.equal(await page.locator('.row').first().isVisible(), false);
  await picture(page, 'phone-chart');
  await page.locator('.sheet-handle').tap();
  await page.locator('.row').first().waitFor();
  await until(() => document.querySelector('.market-body').getAnimations().length === 0);
  await picture(page, 'phone-sheet');
  assert.deepEqual(await small(page, '.market'), []);
  assert.equal(await width(page), phone.viewport.width);
  await page.locator('.row[data-code="KRW-SOL"]').tap();
  await until(() => window.__stofka.chart.code === 'KRW-SOL');
  await page.locator('.market-body').waitFor({ state: 'hidden' });
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('all that can be touched is large enough, and nothing is wider than the screen', async () => {
  const tab = await browser.open(phone);
  await ready(tab);
  assert.deepEqual(await small(tab.page, '.app'), []);
  assert.equal(await width(tab.page), phone.viewport.width);
  await tab.page.locator('.settings-button').tap();
  await picture(tab.page, 'phone-settings');
  assert.deepEqual(await small(tab.page, '.settings'), []);
  await tab.close();
});
