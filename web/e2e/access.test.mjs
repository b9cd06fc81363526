// SPDX-License-Identifier: Apache-2.0
// Without a mouse, without eyes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { findings } from './axe.mjs';
import { picture, ready, startBrowser } from './browser.mjs';

let browser;
before(async () => (browser = await startBrowser({ program: true })));
after(() => browser.close());

for (const colorScheme of ['dark', 'light']) {
  test(`axe finds nothing serious, ${colorScheme}`, async () => {
    const tab = await browser.open({ colorScheme, reducedMotion: 'reduce' });
    const { page } = tab;
    await ready(tab);
    await page.locator('.row').first().waitFor();
    assert.deepEqual(await findings(page), []);
    await page.evaluate(() => (document.documentElement.dataset.colours = 'western'));
    assert.deepEqual(await findings(page), []);
    await page.locator('.settings-button').click();
    assert.deepEqual(await findings(page), []);
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await picture(page, `help-${colorScheme}`);
    assert.deepEqual(await findings(page), []);
    await tab.close();
  });
}

test('axe finds nothing serious on a phone with the list up', async () => {
  const viewport = { width: 360, height: 740 };
  const phone = { viewport, hasTouch: true, isMobile: true, reducedMotion: 'reduce' };
  const tab = await browser.open({ ...phone, locale: 'ko-KR' });
  await ready(tab);
  assert.deepEqual(await findings(tab.page), []);
  await tab.page.locator('.sheet-handle').tap();
  await tab.page.locator('.row').first().waitFor();
  assert.deepEqual(await findings(tab.page), []);
  await tab.close();
});

test('search, list, favourite, intervals and help by keyboard alone', async () => {
  const tab = await browser.open();
  const { page, until } = tab;
  await ready(tab);
  const { keyboard } = page;
  const interval = (wanted) =>
    until((one) => window.__stofka.chart.interval === one && window.__stofka.bars > 0, wanted);
  await keyboard.press('2');
  await interval('1m');
  await keyboard.press('d');
  await interval('1d');
  await keyboard.press('/');
  await keyboard.type('d2sol'); // typed, not obeyed
  await interval('1d');
  await page.locator('.search input').fill('');
  await page.locator('.row[tabindex="0"]').waitFor();
  await keyboard.press('ArrowDown');
  await keyboard.press('Home');
  await keyboard.press('j');
  const code = await page.evaluate(() => document.activeElement.dataset.code);
  await keyboard.press('f');
  const star = page.locator(`li:has([data-code="${code}"]) .star`);
  assert.equal(await star.getAttribute('aria-pressed'), 'true');
  await keyboard.press('Enter');
  await until((one) => window.__stofka.chart.code === one, code);
  await keyboard.press('Shift+Slash');
  await page.locator('#help[open]').waitFor();
  await keyboard.press('2'); // the dialog has the keys
  await keyboard.press('Escape');
  await page.locator('#help').waitFor({ state: 'hidden' });
  await interval('1d');
  await tab.close();
});

test('where the focus is can be seen, at every stop', async () => {
  const tab = await browser.open();
  await ready(tab);
  const seen = new Set();
  for (let stops = 0; stops < 60; stops += 1) {
    await tab.page.keyboard.press('Tab');
    const [name, outline] = await tab.page.evaluate(() => {
      const { activeElement: one } = document;
      const shown = one.matches('[type=radio]') ? one.nextElementSibling : one;
      return [one.className || one.tagName, getComputedStyle(shown).outlineStyle];
    });
    if (name !== 'BODY') assert.notEqual(outline, 'none', name);
    seen.add(name);
  }
  for (const name of ['row', 'only', 'INPUT']) assert.ok(seen.has(name), [...seen].join());
  await tab.close();
});

test('the summary says market and price, and does not chatter', async () => {
  const tab = await browser.open();
  const { page, until } = tab;
  const summary = page.locator('[data-summary]');
  await ready(tab);
  await until(() =>
    /^BTC\/KRW, [\d,]+, .*%, LIVE$/.test(document.querySelector('[data-summary]').textContent),
  );
  await page.evaluate(() => {
    window.told = 0;
    const count = () => (window.told += 1);
    const what = { characterData: true, childList: true, subtree: true };
    new MutationObserver(count).observe(document.querySelector('[data-summary]'), what);
  });
  const before = await page.evaluate(() => window.__stofka.draws);
  await until((draws) => window.__stofka.draws > draws + 12, before);
  assert.ok((await page.evaluate(() => window.told)) <= 1);
  await page.locator('.row[data-code="KRW-ETH"]').click();
  await until(() => document.querySelector('[data-summary]').textContent.startsWith('ETH/KRW'));
  assert.equal(await summary.getAttribute('aria-live'), 'polite');
  await tab.close();
});
