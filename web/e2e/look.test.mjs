// SPDX-License-Identifier: Apache-2.0
// Languages, themes and devices of the real program's page; and its words before there is a market.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { findings } from './axe.mjs';
import { external, picture, ready, startBrowser } from './browser.mjs';
import { startLate } from './program.mjs';

let browser;
before(async () => (browser = await startBrowser({ program: true })));
after(() => browser.close());

const options = { skip: external ? 'STOFKA_URL is set' : false };
const DEVICES = {
  desktop: {},
  laptop: { viewport: { width: 1280, height: 720 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};
const HANGUL = /[가-힣]/;

/** Buttons of the toolbar that a reader with a mouse would have to scroll to. */
const outOfSight = (page) =>
  page
    .locator('.tools > :is(button, select), .layouts button')
    .evaluateAll((all) =>
      all
        .filter((one) => one.getBoundingClientRect().right > one.closest('.main').clientWidth)
        .map((one) => one.dataset.tool ?? one.getAttribute('aria-label')),
    );

const looks = ['ko-KR', 'en-GB'].flatMap((locale) =>
  ['dark', 'light'].flatMap((colorScheme) =>
    Object.keys(DEVICES).map((device) => [locale, colorScheme, device]),
  ),
);

for (const [locale, colorScheme, device] of looks) {
  // A laptop is a smaller desktop: once is enough.
  if (device === 'laptop' && `${locale} ${colorScheme}` !== 'en-GB dark') continue;
  test(
    `${locale}, ${colorScheme}, ${device}: whole, readable, nothing serious by axe`,
    options,
    async () => {
      const own = { locale, colorScheme, reducedMotion: 'reduce', ...DEVICES[device] };
      const tab = await browser.open({ ...own, path: '/?interval=1m' });
      const { page } = tab;
      await ready(tab);
      await page.locator('.facts dd').first().waitFor();
      assert.equal(await page.getAttribute('html', 'lang'), locale.slice(0, 2));
      assert.equal(await page.getAttribute('html', 'data-theme'), colorScheme);
      const words = await page.locator('.columns, .tools > button, .badges').allTextContents();
      assert.equal(HANGUL.test(words.join()), locale === 'ko-KR', words.join());
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${wide} px too wide`);
      if (device !== 'phone') assert.deepEqual(await outOfSight(page), []);
      assert.deepEqual(await findings(page), []);
      await picture(page, `look-${locale}-${colorScheme}-${device}`);
      assert.deepEqual(tab.faults, []);
      await tab.close();
    },
  );
}

test('two fingers zoom on a phone', options, async () => {
  const tab = await browser.open({ ...DEVICES.phone, path: '/?interval=1m' });
  const { page, until } = tab;
  await ready(tab);
  const box = await page.locator('.chart-canvas').boundingBox();
  const startAt = async (x) => {
    await page.mouse.move(box.x + x - 1, box.y + 150);
    await page.mouse.move(box.x + x, box.y + 150);
    return Number(await page.locator('.legend').first().getAttribute('data-start'));
  };
  const span = async () => (await startAt(240)) - (await startAt(60));
  const wide = await span();
  const session = await page.context().newCDPSession(page);
  const finger = (x) => ({ x: box.x + 150 + x, y: box.y + 150, id: Number(x > 0) });
  const touch = (type, apart) =>
    session.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: apart === null ? [] : [finger(-apart), finger(apart)],
    });
  await touch('touchStart', 20);
  for (const apart of [35, 50, 65, 80, 95]) await touch('touchMove', apart);
  await touch('touchEnd', null);
  await until(() => window.__stofka.view.bars !== null);
  const narrow = await span();
  assert.ok(narrow > 0 && narrow < wide * 0.7, `${wide} s, then ${narrow} s`);
  await tab.close();
});

test('started before its exchange, the page says so and starts by itself', options, async () => {
  const late = await startLate();
  const tab = await browser.open({ at: late.server.url, locale: 'ko-KR' });
  await tab.page.locator('[data-badge=down]').waitFor();
  assert.match(await tab.page.locator('.notice').textContent(), /거래소에 연결할 수 없습니다/);
  await picture(tab.page, 'offline-start');
  await late.begin();
  await ready(tab);
  await tab.page.locator('[data-badge=live]').waitFor();
  await tab.page.locator('.row').first().waitFor();
  await tab.close();
  await late.stop();
});
