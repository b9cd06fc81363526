// SPDX-License-Identifier: Apache-2.0
// The page's frame: settings, keyboard, list, accessibility.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { picture, ready, startBrowser } from './browser.mjs';

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser.close());

const colour = (page, name) =>
  page.evaluate(
    (property) => getComputedStyle(document.documentElement).getPropertyValue(property),
    name,
  );

test('theme, colours and language are chosen by keyboard and kept', async () => {
  const tab = await browser.open({ colorScheme: 'dark' });
  const { page } = tab;
  await ready(tab);
  const dark = await colour(page, '--surface');
  await page.locator('.settings-button').focus();
  await page.keyboard.press('Enter');
  await page.locator('#settings input[name=theme]:checked').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'light');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowLeft');
  await picture(page, 'settings');
  await page.keyboard.press('Escape');
  await page.locator('#settings').waitFor({ state: 'hidden' });
  await page.reload();
  await ready(tab);
  assert.notEqual(await colour(page, '--surface'), dark);
  assert.equal(await page.locator('html').getAttribute('data-colours'), 'western');
  assert.equal(await page.getAttribute('html', 'lang'), 'ko');
  await picture(page, 'light-western-ko');
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('the system’s theme is followed while none is chosen', async () => {
  const tab = await browser.open({ colorScheme: 'light' });
  await ready(tab);
  assert.equal(await tab.page.locator('html').getAttribute('data-theme'), 'light');
  await tab.page.emulateMedia({ colorScheme: 'dark' });
  await tab.until(() => document.documentElement.dataset.theme === 'dark');
  await tab.close();
});
