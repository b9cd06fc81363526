// SPDX-License-Identifier: Apache-2.0
// Drawings on the chart, against any server with a simulated market: STOFKA_URL=http://… or the mock.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { picture, ready, startBrowser } from './browser.mjs';

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser.close());

const kept = (page) =>
  page.evaluate(() => {
    const { code } = window.__stofka.chart;
    return JSON.parse(localStorage.getItem(`stofka.drawings.${code}`) ?? '[]');
  });
const kinds = async (page) => (await kept(page)).map(({ kind }) => kind);
/** How many bars one time is after another: a quiet market has no bar for some minutes. */
const barsBetween = (page, from, to) =>
  page.evaluate(
    ([one, other]) => {
      const starts = window.__stofka.candles.map(({ start }) => start);
      return starts.indexOf(other) - starts.indexOf(one);
    },
    [from.time, to.time],
  );
const take = (page, kind) => page.locator(`.drawing-bar [data-draw=${kind}]`).click();

async function canvas(page) {
  const { x, y } = await page.locator('.chart-canvas').boundingBox();
  const at = (dx, dy) => [x + dx, y + dy];
  const drag = async (from, to) => {
    await page.mouse.move(...at(...from));
    await page.mouse.down();
    await page.mouse.move(...at(...to), { steps: 4 });
    await page.mouse.up();
  };
  return { at, drag, click: (...place) => page.mouse.click(...at(...place)) };
}

test('all six are drawn by mouse, and found again tomorrow, in every interval and zone', async () => {
  const tab = await browser.open({ path: '/?interval=1m' });
  const { page, until } = tab;
  await ready(tab);
  const { drag, click } = await canvas(page);
  await take(page, 'trend');
  await drag([200, 320], [420, 180]);
  await take(page, 'ray');
  await click(120, 250); // its ends one after the other
  await page.mouse.move(400, 500);
  await click(300, 300);
  await take(page, 'level');
  await click(500, 240);
  await take(page, 'box');
  await drag([520, 150], [640, 260]);
  await take(page, 'fib');
  await drag([660, 380], [780, 140]);
  await take(page, 'note');
  await click(250, 130);
  await page.keyboard.type('breakout 돌파');
  await page.keyboard.press('Enter');
  const all = ['trend', 'ray', 'level', 'box', 'fib', 'note'];
  assert.deepEqual(await kinds(page), all);
  const view = await page.evaluate(() => window.__stofka.view.at);
  assert.equal(view, null, 'the chart below was not dragged');
  await page.keyboard.press('Escape');
  await picture(page, 'drawings');
  const before = await kept(page);
  assert.equal(before[5].text, 'breakout 돌파');
  await page.locator('[data-tool=zone]').selectOption('utc');
  await page.locator('[data-interval="5m"]').click();
  await until(() => window.__stofka.last.interval === '5m');
  await picture(page, 'drawings-5m');
  await page.locator('[data-tool=kind]').selectOption('line');
  await page.reload();
  await ready(tab);
  assert.deepEqual(await kept(page), before);
  await picture(page, 'drawings-again');
  await page.locator('.row[data-code="KRW-ETH"]').click();
  await until(() => window.__stofka.last.code === 'KRW-ETH');
  assert.deepEqual(await kinds(page), []);
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('a drawing is selected, moved whole and by a handle, coloured, removed, and undone', async () => {
  const tab = await browser.open({ path: '/?interval=1m' });
  const { page } = tab;
  await ready(tab);
  const { drag, click } = await canvas(page);
  await take(page, 'box');
  await drag([300, 160], [460, 260]);
  const [drawn] = await kept(page);
  await drag([300, 210], [340, 250]); // by its side
  const [whole] = await kept(page);
  for (const at of [0, 1]) {
    assert.equal(await barsBetween(page, drawn.anchors[at], whole.anchors[at]), 5);
    assert.ok(whole.anchors[at].price < drawn.anchors[at].price);
  }
  await drag([500, 300], [540, 320]); // by its second anchor
  const [ended] = await kept(page);
  assert.deepEqual(ended.anchors[0], whole.anchors[0]);
  assert.ok(ended.anchors[1].time > whole.anchors[1].time);
  await page.locator('.drawing-panel button').nth(2).click();
  assert.equal((await kept(page))[0].colour, 2);
  await picture(page, 'drawing-selected');
  await page.locator('[data-draw=remove]').click();
  assert.deepEqual(await kept(page), []);
  await page.locator('[data-draw=undo]').click();
  assert.equal((await kept(page))[0].colour, 2);
  await page.locator('.chart-canvas').focus();
  await page.keyboard.press('Control+z');
  await page.keyboard.press('Control+z');
  assert.deepEqual(await kept(page), [whole]);
  await page.keyboard.press('Control+y');
  assert.deepEqual(await kept(page), [ended]);
  await click(540, 250);
  await page.locator('.drawing-panel').waitFor();
  await page.keyboard.press('Delete');
  assert.deepEqual(await kept(page), []);
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('by keyboard alone: placed, moved, its ends too, removed', async () => {
  const tab = await browser.open({ path: '/?interval=1m' });
  const { page } = tab;
  const { keyboard } = page;
  await ready(tab);
  await page.locator('.drawing-bar [data-draw=trend]').focus();
  await keyboard.press('Enter');
  const [drawn] = await kept(page);
  assert.equal(drawn.kind, 'trend');
  await keyboard.press('ArrowRight');
  const [right] = await kept(page);
  assert.equal(await barsBetween(page, drawn.anchors[0], right.anchors[0]), 1);
  assert.equal(right.anchors[0].price, drawn.anchors[0].price);
  await keyboard.press('Enter');
  await keyboard.press('Shift+ArrowUp');
  const [first] = await kept(page);
  assert.ok(first.anchors[0].price > right.anchors[0].price);
  assert.deepEqual(first.anchors[1], right.anchors[1]);
  await keyboard.press('Escape');
  await page.locator('.drawing-panel').waitFor({ state: 'detached' });
  await keyboard.press('s');
  await page.locator('.drawing-panel').waitFor();
  await keyboard.press('Delete');
  assert.deepEqual(await kept(page), []);
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('by finger; the chart below does not move', async () => {
  const phone = { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true };
  const tab = await browser.open({ path: '/?interval=1m', ...phone });
  const { page } = tab;
  await ready(tab);
  await page.locator('.rail-toggle').tap();
  await page.locator('.drawing-bar [data-draw=trend]').tap();
  const { at } = await canvas(page);
  const session = await page.context().newCDPSession(page);
  const touch = (type, ...points) =>
    session.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: points.map(([x, y]) => ({ x, y })),
    });
  await touch('touchStart', at(60, 130));
  for (let step = 1; step <= 5; step += 1)
    await touch('touchMove', at(60 + 30 * step, 130 - 8 * step));
  await touch('touchEnd');
  const [drawn] = await kept(page);
  assert.equal(drawn.kind, 'trend');
  assert.ok(drawn.anchors[1].time > drawn.anchors[0].time);
  assert.equal(await page.evaluate(() => window.__stofka.view.at), null);
  await picture(page, 'drawing-phone');
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('another tab of the same market has the same drawings at once', async () => {
  const tab = await browser.open({ path: '/?interval=1m' });
  const other = await browser.open({ path: '/?interval=5m', beside: tab });
  await ready(tab);
  await ready(other);
  await other.page.locator('.drawing-bar [data-draw=level]').focus();
  await other.page.keyboard.press('Enter');
  await tab.page.bringToFront();
  await tab.page.locator('.chart-canvas').focus();
  await tab.page.keyboard.press('s');
  await tab.page.locator('.drawing-panel').waitFor();
  await tab.close();
});
