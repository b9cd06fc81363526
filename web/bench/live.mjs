// SPDX-License-Identifier: Apache-2.0
// The page and the bare demo while the market moves.
//
// A tick is one drawing of the chart's newest bars. Both scenes hear the same bars of the same server,
// so both have as many; all that the main thread does in between counts, which for the page is also
// the list of 250 markets, the header, the badge and the figures over the chart.
import { startProgram } from '../e2e/program.mjs';
import { median, probe } from './probe.mjs';
import { chartBox, openScene } from './scenes.mjs';

export const MARKETS = ['--codes-count', '250', '--history', '1'];
/**
 * Full rate: every market trades in each of its seconds, 2,500 tickers a second in all, which is what
 * the exchange does at most. It sends a market's bar once a second at most, though: the bare demo
 * would have nothing to do, and the ratio would tell of the list alone. So the market's clock runs
 * tenfold, for both, and the chart moves ten times a second: half as often as where the library's own
 * cost was measured, which spreads the list's cost over fewer ticks, against the page. What a second
 * costs is told beside what a tick does, and how it is at the exchange's own pace is told too.
 * Real time: the trades of all KRW markets of Upbit on a lively day; a bar changes once a second.
 */
export const RATES = {
  'full rate': ['--every-second', '--rate', '250', '--speed', '10'],
  'real time': ['--rate', '300'],
};

const FIRST = { of: 'page', most: 1000 };
const WATCH_MS = 6_000;
const FRAMES_MS = 3_000;
const PROFILE_MS = 3_000;
const SETTLE_MS = 2_000;
const MOVING = 10;

/** A past that runs ten times too fast is fetched first: the chart stands until it has come. */
async function untilMoving(page, { draws }) {
  const wanted = (await page.evaluate(draws)) + MOVING;
  await page.waitForFunction((count) => (window.__stofka ?? window.__bare).draws >= count, wanted);
}

async function measure({ page, scene, firstDraw }, name) {
  const { watch, frames, profile } = await probe(page);
  await untilMoving(page, scene);
  await page.waitForTimeout(SETTLE_MS);
  const watched = await watch(WATCH_MS, scene.draws);
  const fps = await frames(FRAMES_MS);
  const { index: own = 0, ...others } =
    name === 'page' ? await profile(PROFILE_MS, scene.draws) : {};
  return { ...watched, fps, firstDraw, own, charts: others.charts ?? 0, react: others.react ?? 0 };
}

/** Both scenes, in turns; {page: [...], bare: [...]} of what `measured` gave. */
export async function inTurns(browser, place, rounds, measured) {
  const found = { page: [], bare: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const name of ['page', 'bare']) {
      const scene = await openScene(browser, name, place);
      found[name].push(await measured(scene, name));
      await scene.close();
    }
  }
  return found;
}

export async function live(browser, site, flags, rounds) {
  const { server, stop } = await startProgram({
    sim: [...MARKETS, ...flags],
    stofka: ['--serve.cors', '*'],
  });
  const place = { url: server.url, site, code: 'KRW-BTC', interval: '1s' };
  place.box = await chartBox(browser, place);
  const found = await inTurns(browser, place, rounds, measure);
  await stop();
  return found;
}

export function addLive(table, name, { page, bare }) {
  const middle = (list, field) => median(list.map((one) => one[field]));
  const row = (what, field, more = {}) =>
    table.add({
      what: `${name}: ${what}`,
      page: middle(page, field),
      bare: middle(bare, field),
      ...more,
    });
  const bars = name === 'full rate';
  // At full rate it is the server that fetches a past that runs ten times too fast.
  if (!bars) row('first chart drawn, ms', 'firstDraw', { digits: 0, bar: FIRST });
  row('ticks a second', 'perSecond');
  row('main thread, ms a tick', 'perTick', bars ? { bar: { of: 'ratio', most: 1.5 } } : {});
  row('main thread, ms a second', 'busy');
  row('frames a second', 'fps', bars ? { bar: { of: 'ratio', least: 0.9 } } : {});
  for (const [what, field] of [
    ['own code', 'own'],
    ['chart library', 'charts'],
    ['React', 'react'],
  ]) {
    const bar = bars && field === 'own' ? { of: 'page', most: 4 } : undefined;
    table.add({ what: `${name}: of it ${what}`, page: middle(page, field), bar });
  }
}
