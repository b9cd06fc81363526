// SPDX-License-Identifier: Apache-2.0
// Stofka beside the exchange: the real program and its simulator; the mock where they must differ.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { external, picture, ready, startBrowser } from './browser.mjs';
import { repair, startMock, tellMock } from './mock-server.mjs';

let browser;
let mock;
before(async () => {
  // Few markets: such questions come after the history of all of them, fetched 5 s behind the start.
  browser = await startBrowser({ program: { sim: ['--codes-count', '5'] } });
  mock = await startMock();
});
after(async () => {
  mock.close();
  await browser.close();
});

const counts = /^Exchange’s own candles: ([\d,]+) compared, (\d+) different$/;

async function compared(page) {
  await page.waitForFunction(() =>
    /compared/.test(document.querySelector('.beside-note b')?.textContent ?? ''),
  );
  const [, all, different] = counts.exec(await page.locator('.beside-note b').textContent());
  return [Number(all.replaceAll(',', '')), Number(different)];
}

test('the exchange’s own candles over ours: all agree, with the audit’s counts', async () => {
  const tab = await browser.open({ path: '/?interval=1m' });
  const { page, requests } = tab;
  await ready(tab);
  await page.locator('[data-tool=beside]').click();
  const [all, different] = await compared(page);
  const bars = await page.evaluate(() => window.__stofka.bars);
  assert.ok(all >= Math.min(50, bars - 3), `${all} of ${bars}`);
  assert.equal(different, 0);
  await page.locator('.beside-note span').waitFor();
  assert.match(
    await page.locator('.beside-note span').textContent(),
    /audit: [\d,]+ compared · \d+ different · \d+ repaired/,
  );
  assert.ok(requests.some((one) => one.includes('/exchange-candles?')));
  await picture(page, 'beside');
  await page.locator('[data-interval="1h"]').click();
  await tab.until(() => window.__stofka.last.interval === '1h');
  await page.locator('[data-tool=beside]').click();
  await page.locator('.beside-note').waitFor({ state: 'detached' });
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('a candle that differs is counted and marked, until it is repaired', async (context) => {
  if (external) return context.skip('this exchange tells the truth');
  const minute = Math.floor(Date.now() / 60_000 - 20) * 60_000;
  const wrong = [new Date(minute).toISOString().slice(0, 19)];
  await tellMock(mock.url, { world: { wrong } });
  const tab = await browser.open({ at: mock.url, path: '/?interval=1m&beside=shown' });
  await ready(tab);
  assert.equal((await compared(tab.page))[1], 1);
  await tab.page.locator('.beside-note[data-wrong=true]').waitFor();
  await picture(tab.page, 'beside-different');
  const asked = await fetch(`${mock.url}/exchange-candles?code=KRW-BTC&interval=1m&count=50`);
  const theirs = (await asked.text()).match(/\{[^}]*\}/g).find((row) => row.includes(wrong[0]));
  await tellMock(mock.url, { say: ['candle', repair(theirs)] });
  await tab.page.locator('.beside-note[data-wrong=false]').waitFor();
  assert.equal((await compared(tab.page))[1], 0);
  await tab.close();
});
