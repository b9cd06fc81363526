// SPDX-License-Identifier: Apache-2.0
// The page's frame: settings, keyboard, list, accessibility.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { picture, ready, startBrowser } from './browser.mjs';

let browser;
before(async () => (browser = await startBrowser({ program: true })));
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

const codes = (page) =>
  page.locator('.row').evaluateAll((rows) => rows.map((row) => row.dataset.code));

test('markets are found by initials, half a syllable and English; Enter takes the first', async () => {
  const tab = await browser.open({ locale: 'ko-KR' });
  const { page, until } = tab;
  await ready(tab);
  const input = page.locator('.search input');
  for (const query of ['ㅂㅌㅋㅇ', '비틐', 'bitcoin']) {
    await input.fill(query);
    await until(() => document.querySelectorAll('.row').length <= 3);
    const found = await codes(page);
    assert.ok(found.includes('KRW-BTC'), `${query}: ${found}`);
  }
  await input.fill('ㅇㄷㄹㅇ');
  await page.locator('.row[data-code="KRW-ETH"]').waitFor();
  await picture(page, 'initials');
  await input.press('Enter');
  await until(() => window.__stofka.chart.code === 'KRW-ETH');
  await tab.close();
});

test('favourites are kept, and shown alone', async () => {
  const tab = await browser.open();
  const { page } = tab;
  await ready(tab);
  const star = page.locator('li:has([data-code="KRW-SOL"]) .star');
  await star.click();
  await page.reload();
  await ready(tab);
  assert.equal(await star.getAttribute('aria-pressed'), 'true');
  await page.locator('.only').click();
  await tab.until(() => document.querySelectorAll('.row').length === 1);
  await picture(page, 'favourites');
  await star.click();
  await page.locator('.rows-none').waitFor();
  await tab.close();
});

test('the list holds the rows in sight only, and arrows lead through all of it', async () => {
  const tab = await browser.open({ viewport: { width: 1280, height: 500 } });
  const { page } = tab;
  await ready(tab);
  const all = await page.evaluate(() => window.__stofka.markets);
  const held = await page.locator('.row').count();
  assert.ok(held < all, `${held} of ${all}`);
  await page.locator('[data-column=name]').click();
  await page.locator('.search input').press('ArrowDown');
  await page.keyboard.press('Home');
  const seen = new Set();
  for (let times = 0; times < all; times += 1) {
    seen.add(await page.evaluate(() => document.activeElement.dataset.code));
    await page.keyboard.press(times % 2 ? 'j' : 'ArrowDown');
  }
  assert.equal(seen.size, all);
  const inSight = await page.evaluate(() => {
    const row = document.activeElement.getBoundingClientRect();
    return row.bottom <= innerHeight && row.height > 0;
  });
  assert.ok(inSight);
  await tab.close();
});

test('the audit’s counts are shown to who asks', async () => {
  const tab = await browser.open();
  const { page, until } = tab;
  await ready(tab);
  await page.locator('.audit-button').click();
  await until(() =>
    [...document.querySelectorAll('[data-audit] dd')].every((count) =>
      /^[\d,]+$/.test(count.textContent),
    ),
  );
  await picture(page, 'audit');
  await page.keyboard.press('Escape');
  await page.locator('#audit').waitFor({ state: 'hidden' });
  await tab.close();
});
