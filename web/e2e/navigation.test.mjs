// SPDX-License-Identifier: Apache-2.0
// Through time by date, wheel, button and key, against any server with a simulated market.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { external, picture, ready, startBrowser, starts } from './browser.mjs';

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser.close());

test('goes to a date by keyboard, moves and zooms, and comes back to now', async () => {
  const tab = await browser.open({ path: '/?interval=1m&zone=utc' });
  const { page, until } = tab;
  await ready(tab);
  const newest = await page.evaluate(() => window.__stofka.last.start);
  const wanted = newest - 40 * 86_400 - (newest % 3600);
  const input = page.locator('.go-to input');
  await page.keyboard.press('g');
  await input.fill(new Date(wanted * 1000).toISOString().slice(0, 16));
  await input.press('Enter');
  await until((start) => window.__stofka.candles.some((candle) => candle.start === start), wanted);
  assert.equal(await page.evaluate(() => window.__stofka.chart.atHead), false);
  await starts(page);
  const box = await page.locator('.chart-canvas').boundingBox();
  const middle = async () => {
    await page.mouse.move(box.x + 430, box.y + 200);
    await page.mouse.move(box.x + 431, box.y + 200);
    return Number(await page.locator('.legend').getAttribute('data-start'));
  };
  const seen = await middle();
  assert.ok(Math.abs(seen - wanted) < 20 * 60, `${(seen - wanted) / 60} minutes off`);
  await picture(page, 'go-to');
  await page.locator('.chart-canvas').focus();
  await page.keyboard.press('ArrowLeft');
  assert.ok((await middle()) < seen);
  await page.keyboard.press('+');
  await page.keyboard.press('End');
  await until(
    (start) => window.__stofka.chart.atHead && window.__stofka.last.start >= start,
    newest,
  );
  await page.locator('.to-newest').waitFor({ state: 'detached' });
  if (!external) {
    await page.keyboard.press('g');
    await input.fill('2012-01-01T00:00');
    await input.press('Enter');
    await until(() => document.querySelector('.go-to span').textContent !== '');
  }
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('zooms from months to minutes by wheel, buttons and keys, and back', async () => {
  const tab = await browser.open({ path: '/?interval=4h', alone: true });
  const { page } = tab;
  await ready(tab);
  const box = await page.locator('.chart-canvas').boundingBox();
  const width = () => page.evaluate(() => window.__stofka.view.bars);
  /** One step after the other, each drawn, until so many bars are in sight. */
  const reach = async (step, least, most) => {
    const drawn = () =>
      new Promise((done) => requestAnimationFrame(() => done(window.__stofka.view.bars)));
    for (let steps = 0; steps < 200; steps += 1) {
      await step();
      const bars = await page.evaluate(drawn);
      if (bars !== null && bars >= least && bars <= most) return;
    }
    assert.fail(`${await width()} bars after 200 steps`);
  };
  await page.mouse.move(box.x + 600, box.y + 200);
  await reach(() => page.mouse.wheel(0, 240), 400, 1e6); // more than two months
  await reach(() => page.mouse.wheel(0, -240), 1, 40);
  await reach(() => page.getByLabel('Zoom out').click(), 60, 1e6);
  await page.locator('.chart-canvas').focus();
  await reach(() => page.keyboard.press('+'), 1, 40);
  await reach(() => page.keyboard.press('-'), 200, 1e6);
  await starts(page);
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('a long pull at the edge of what is held loses nothing that is looked at', async () => {
  const tab = await browser.open({ path: '/?interval=1m' });
  const { page } = tab;
  await ready(tab);
  const box = await page.locator('.chart-canvas').boundingBox();
  const y = box.y + 200;
  await page.mouse.move(box.x + 430, y);
  for (let turn = 0; turn < 30; turn += 1) await page.mouse.wheel(0, 400);
  const frame = () => page.evaluate(() => new Promise(requestAnimationFrame));
  const pull = async (steps) => {
    await page.mouse.move(box.x + 20, y);
    await page.mouse.down();
    for (let step = 1; step <= steps; step += 1) {
      await page.mouse.move(box.x + 20 + (860 * step) / steps, y);
      await frame();
    }
  };
  const look = () =>
    page.evaluate(() => {
      const { view, candles, first, chart } = window.__stofka;
      const held = candles.some(({ start }) => start === view.at);
      return { at: view.at, held, first: first.start, atHead: chart.atHead };
    });
  for (let pulls = 0; pulls < 60 && (await look()).atHead; pulls += 1) {
    await pull(4);
    await page.mouse.up();
  }
  assert.equal((await look()).atHead, false, 'the newest are not held any more');
  let paged = 0;
  for (let pulls = 0; pulls < 4; pulls += 1) {
    const before = await look();
    await pull(100);
    const pulled = await look();
    assert.ok(pulled.held, 'what is looked at is still held');
    if (pulled.first < before.first) paged += 1;
    await page.mouse.up();
    await frame();
    await frame();
    assert.equal((await look()).at, pulled.at);
  }
  assert.ok(paged > 0, 'pages came while it was pulled');
  await starts(page);
  assert.deepEqual(tab.faults, []);
  await tab.close();
});
