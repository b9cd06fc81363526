// SPDX-License-Identifier: Apache-2.0
// Whether the page's heap stays flat at full rate, with a chart of minutes, which itself hardly grows.
import { openScene } from './scenes.mjs';
import { probe } from './probe.mjs';

const MINUTE_MS = 60_000;
/** Growth that is no leak: React's and the engine's caches, a longer number. */
const GRACE_MB = 1;
/** Not counted: the engine still compiles, and labels and rows are met for the first time. */
const WARM_MINUTES = 5;

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
  for (let minute = 0; minute <= WARM_MINUTES + minutes; minute += 1) {
    await page.waitForTimeout(minute === 0 ? 10_000 : MINUTE_MS);
    taken.push(await heap());
    console.log(`minute ${minute}: ${taken.at(-1).toFixed(2)} MB`);
  }
  await close();
  const grown = slope(taken.slice(WARM_MINUTES)) * minutes;
  console.log(
    `heap: ${grown.toFixed(2)} MB in ${minutes} minutes after the first ${WARM_MINUTES}; ` +
      `at most ${GRACE_MB} MB is flat`,
  );
  return grown <= GRACE_MB;
}
