// SPDX-License-Identifier: Apache-2.0
// Whether the page's heap stays flat at full rate. The chart's own bars grow up to its capacity, so
// it begins with a chart that is full.
import { openScene } from './scenes.mjs';
import { probe } from './probe.mjs';

const MINUTE_MS = 60_000;
/** Growth that no leak explains: React's and the engine's caches, a longer number. */
const GRACE_MB = 1;
/** A candle, the text of its numbers, its bar and the points that the library keeps of it. */
const BAR_KB = 1.5;

/** The least-squares slope of values one a minute. */
function slope(values) {
  const mean = (values.length - 1) / 2;
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  let [up, down] = [0, 0];
  values.forEach((value, at) => {
    up += (at - mean) * (value - average);
    down += (at - mean) ** 2;
  });
  return up / down;
}

export async function soak(browser, place, minutes) {
  const { page, close } = await openScene(browser, 'page', place);
  const { heap } = await probe(page);
  const taken = [];
  for (let minute = 0; minute <= minutes; minute += 1) {
    await page.waitForTimeout(minute === 0 ? 10_000 : MINUTE_MS);
    const bars = await page.evaluate(() => window.__stofka.bars);
    taken.push({ heap: await heap(), bars });
    console.log(`minute ${minute}: ${taken.at(-1).heap.toFixed(2)} MB, ${bars} bars`);
  }
  await close();
  // What the bars of the chart themselves take is not a leak; the rest must not grow.
  const perMinute = slope(taken.map((one) => one.heap));
  const barsPerMinute = slope(taken.map((one) => one.bars));
  const perBarKb = barsPerMinute > 0 ? (perMinute * 1000) / barsPerMinute : 0;
  console.log(
    `heap: ${(perMinute * minutes).toFixed(2)} MB in ${minutes} minutes, ${(barsPerMinute * minutes).toFixed(0)} bars more, ${perBarKb.toFixed(2)} KB a bar`,
  );
  const allowed = GRACE_MB + (barsPerMinute * minutes * BAR_KB) / 1000;
  return perMinute * minutes <= allowed;
}
