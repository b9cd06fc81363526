// SPDX-License-Identifier: Apache-2.0
// usage: six_tabs.mjs URL: opens the page in seven tabs of one person, each with a stream of its own, and
// waits until every one of them is moved by new candles at the same time. Prints one line of JSON.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const TABS = 7;
const WAIT_MS = 180_000; // seven tabs that paint on a machine that may be busy
const url = process.argv[2];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--ignore-certificate-errors'],
});
try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1000, height: 700 } });
  const tabs = [];
  for (let n = 0; n < TABS; n++) {
    const page = await context.newPage();
    await page.addInitScript(() => delete window.SharedWorker); // no sharing: the hard case
    page.setDefaultTimeout(WAIT_MS);
    await page.goto(url);
    tabs.push(page);
  }
  const moved = await Promise.all(
    tabs.map(async (page) => {
      const live = () => window.__stofka?.connection.link === 'open' && window.__stofka.bars > 0;
      await page.waitForFunction(live, null, { polling: 200 });
      const last = () => JSON.stringify(window.__stofka.candles.at(-1));
      const before = await page.evaluate(last);
      await page.waitForFunction(
        (was) => JSON.stringify(window.__stofka.candles.at(-1)) !== was, before, { polling: 200 });
      return page.evaluate(() => window.__stofka.connection.link === 'open');
    }));
  const loads = await Promise.all(tabs.map((page) =>
    page.evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol)));
  const streams = moved.length;
  const alive = moved.filter(Boolean).length;
  console.log(JSON.stringify({ protocols: [...new Set(loads)], streams, alive }));
} finally {
  await browser.close();
}
