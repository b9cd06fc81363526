// SPDX-License-Identifier: Apache-2.0
// Data without an exchange: imported minutes, shown by the real program (exchange.url none).
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { longHistory } from '../bench/history.mjs';
import { external, picture, ready, startBrowser } from './browser.mjs';
import { startStored } from './program.mjs';
import { noteSeen, seen } from './seen.mjs';

const options = { skip: external ? 'STOFKA_URL is set' : false };
const MINUTES = 3000;

let browser;
let stored;
let folder;
let file;
before(async () => {
  browser = await startBrowser();
  folder = await mkdtemp(join(tmpdir(), 'stofka-kept-'));
  file = join(folder, 'minutes.csv');
  await longHistory(file, MINUTES);
  stored = await startStored(file);
});
after(async () => {
  await stored.stop();
  await browser.close();
  await rm(folder, { recursive: true });
});

const open = (more = {}) => browser.open({ at: stored.server.url, setUp: noteSeen, ...more });
const badgeText = (tab) => tab.page.locator('[data-badge=kept]').textContent();
const interval = (tab) => tab.page.evaluate(() => window.__stofka.chart.interval);

for (const [locale, said, loading, hint] of [
  ['en-GB', 'KEPT DATA', 'Loading chart…', /No exchange is connected/],
  ['ko-KR', '보관된 데이터', '차트를 불러오는 중…', /거래소에 연결하지 않고/],
]) {
  test(
    `imported minutes open as minutes, calmly and without a flicker (${locale})`,
    options,
    async () => {
      const tab = await open({ locale });
      const { page } = tab;
      await ready(tab);
      await page.locator('[data-interval="1m"][aria-pressed=true]').waitFor();
      assert.equal(await badgeText(tab), said);
      assert.match(await page.locator('[data-badge=kept]').getAttribute('title'), hint);
      const colours = await page.evaluate(() => {
        const badge = getComputedStyle(document.querySelector('[data-badge=kept]'));
        const theme = getComputedStyle(document.documentElement);
        const alarm = ['--warn', '--bad'].map((name) => {
          const probe = document.body.appendChild(document.createElement('i'));
          probe.style.color = theme.getPropertyValue(name);
          const { color } = getComputedStyle(probe);
          probe.remove();
          return color;
        });
        return { badge: badge.color, alarm };
      });
      assert.ok(!colours.alarm.includes(colours.badge), JSON.stringify(colours));
      const origin = await page.locator('[data-badge=upbit]').getAttribute('title');
      assert.match(origin, /imported from a file|파일에서 가져온/);
      await picture(page, `kept-${locale}`);
      const { badge, interval: intervals, notice } = await seen(page);
      assert.deepEqual(intervals, ['1m']);
      assert.deepEqual(
        notice.filter((text) => text !== loading),
        [],
      );
      const calm = ['connecting', 'kept', 'upbit,kept'];
      assert.deepEqual(
        badge.filter((names) => !calm.includes(names)),
        [],
      );
      assert.deepEqual(tab.faults, []);
      await tab.close();
    },
  );
}

test('a link, and what a person chose the last time, come first', options, async () => {
  const tab = await open({ path: '/?interval=1h' });
  const { page } = tab;
  await ready(tab);
  assert.deepEqual((await seen(page)).interval, ['1h']);
  await page.goto(`${stored.server.url}/`); // 1h was a link's; it is remembered
  await ready(tab);
  assert.deepEqual((await seen(page)).interval, ['1h']);
  await page.locator('[data-interval="1d"]').click();
  await tab.until(() => window.__stofka.last.interval === '1d');
  await page.goto(`${stored.server.url}/`);
  await ready(tab);
  assert.deepEqual((await seen(page)).interval, ['1d']);
  await tab.close();
});

test('moving about is no choice of an interval: it is found again', options, async () => {
  const tab = await open();
  const { page } = tab;
  await ready(tab);
  await page.locator('.chart-canvas').hover();
  await page.mouse.wheel(0, 300);
  await tab.until(() => /interval=1m.*bars=/.test(location.search));
  const kept = await page.evaluate(() => localStorage.getItem('stofka.charts'));
  assert.doesNotMatch(kept, /interval/);
  await page.goto(`${stored.server.url}/`);
  await ready(tab);
  assert.equal(await interval(tab), '1m');
  await tab.close();
});

test('where KRW-BTC is not kept it opens what is, as it is kept', options, async () => {
  const other = await startStored(file, [], 'KRW-XRP');
  const tab = await open({ at: other.server.url });
  await ready(tab);
  await tab.page.locator('[data-interval="1m"][aria-pressed=true]').waitFor();
  const { code } = await tab.page.evaluate(() => window.__stofka.last);
  assert.equal(code, 'KRW-XRP');
  const { interval: intervals, notice } = await seen(tab.page);
  assert.deepEqual([intervals, notice.filter((text) => text !== 'Loading chart…')], [['1m'], []]);
  await tab.close();
  await other.stop();
});

test('an interval that was asked for and has nothing says so', options, async () => {
  for (const [locale, said] of [
    ['en-GB', 'Nothing is stored at this interval'],
    ['ko-KR', '이 간격으로 저장된 데이터가 없습니다'],
  ]) {
    const tab = await open({ path: '/?interval=1s', locale });
    await tab.page.locator('.chart-notice', { hasText: said }).waitFor();
    assert.equal(await interval(tab), '1s');
    await picture(tab.page, `kept-empty-${locale}`);
    await tab.close();
  }
});

test('the server without an exchange is ready', options, async () => {
  assert.equal((await fetch(`${stored.server.url}/readyz`)).status, 200);
  const { exchange } = await stored.server.json('/status');
  assert.equal(exchange.state, 'none');
});
