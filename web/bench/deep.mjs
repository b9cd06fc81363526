// SPDX-License-Identifier: Apache-2.0
// A long past: pan and zoom beside the bare demo, which holds as many bars as the page ever does, and
// a pull to the very first bar.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStored } from '../e2e/program.mjs';
import { longHistory } from './history.mjs';
import { inTurns } from './live.mjs';
import { median } from './probe.mjs';
import { chartBox, openScene, pan, wheel } from './scenes.mjs';

const HISTORY = 200_000;
export const MOST_BARS = 5000;

const fpsOf = (lengths) => (lengths.length * 1000) / lengths.reduce((sum, one) => sum + one, 0);

async function move(scene) {
  const panned = await pan(scene, { frames: 300, step: 12, blankness: 0 });
  if (!(await scene.page.evaluate(scene.scene.pulled))) throw new Error('the chart did not move');
  const looked = await pan(scene, { frames: 300, step: 12, blankness: 3 });
  const zoomed = await wheel(scene, { frames: 240 });
  return { pan: fpsOf(panned.lengths), zoom: fpsOf(zoomed.lengths), blank: looked.blank };
}

/** Zoomed out, the chart is pulled to the oldest bar in sight; how many were ever held at once. */
async function reach(scene, first) {
  const { page } = scene;
  const box = await page.locator(scene.scene.canvas).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + 150);
  for (let turn = 0; turn < 30; turn += 1) await page.mouse.wheel(0, 400);
  let [most, blank] = [0, 0];
  for (let pulls = 0; pulls < 400; pulls += 1) {
    const pulled = await pan(scene, { frames: 20, step: 45, blankness: 2 });
    const [bars, oldest, seen] = await page.evaluate(() => [
      window.__stofka.bars,
      window.__stofka.first.start,
      document.querySelector('.beginning') !== null,
    ]);
    most = Math.max(most, bars);
    blank += pulled.blank;
    if (seen) return { reached: oldest === first, most, reachBlank: blank, pulls };
  }
  return { reached: false, most, reachBlank: blank };
}

export async function deep(browser, site, rounds) {
  const folder = await mkdtemp(join(tmpdir(), 'stofka-bench-'));
  const file = join(folder, 'minutes.csv');
  const { first } = await longHistory(file, HISTORY);
  const { server, stop } = await startStored(file, ['--serve.cors', '*']);
  const place = { url: server.url, site, code: 'KRW-BTC', interval: '1m', bars: MOST_BARS };
  place.box = await chartBox(browser, place);
  const found = await inTurns(browser, place, rounds, move);
  const scene = await openScene(browser, 'page', place);
  const reached = await reach(scene, first);
  await scene.close();
  await stop();
  await rm(folder, { recursive: true, force: true });
  return { ...found, ...reached };
}

export function addDeep(table, { page, bare, reached, most, reachBlank }) {
  const middle = (list, field) => median(list.map((one) => one[field]));
  const none = { of: 'page', most: 0 };
  for (const [what, field] of [
    ['pan', 'pan'],
    ['zoom', 'zoom'],
  ]) {
    table.add({
      what: `${what}, frames a second`,
      page: middle(page, field),
      bare: middle(bare, field),
      bar: { of: 'page', least: 59 },
    });
  }
  const blank = page.reduce((sum, one) => sum + one.blank, 0);
  table.add({ what: 'pan, looks that found a blank edge', page: blank, digits: 0, bar: none });
  const held = reached ? most : NaN;
  table.add({
    what: `most bars held while all ${HISTORY} are pulled through`,
    page: held,
    digits: 0,
    bar: { of: 'page', most: MOST_BARS },
  });
  table.add({ what: 'blank edges meanwhile', page: reachBlank, digits: 0, bar: none });
}
