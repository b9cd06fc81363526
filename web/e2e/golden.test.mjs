// SPDX-License-Identifier: Apache-2.0
// The chart's frame and the list, held against reviewed pictures, over a market that stands still.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { external, ready, startBrowser } from './browser.mjs';
import { assertSame, compare, photograph, wordless } from './golden.mjs';

const AT = Date.UTC(2026, 2, 11, 5, 40, 30) / 1000;
const at = (minutes) => new Date((AT - minutes * 60) * 1000).toISOString();
const GAPS = [
  [62, 54, 'lost', 'disconnected'],
  [36, 30, 'healed', 'restart'],
].map(([from, to, state, reason]) => ({
  code: 'KRW-BTC',
  from: at(from),
  to: at(to),
  reason,
  state,
}));

const repaired = [32, 33].map((minutes) => `${at(minutes).slice(0, 16)}:00`);

let browser;
before(async () => (browser = await startBrowser({ world: { at: AT, gaps: GAPS, repaired } })));
after(() => browser.close());

const options = { skip: external ? 'STOFKA_URL is set' : false };

const CHART = '.stage';
const LIST = '.market';

async function open({ setUp, ...own }) {
  const viewport = { width: 1100, height: 620 };
  const tab = await browser.open({ viewport, alone: true, ...own, ...wordless(setUp) });
  await ready(tab);
  await tab.page.locator('.facts dd').first().waitFor();
  await tab.until(() => document.querySelector('.countdown')?.textContent !== ''); // on the axis, too
  return tab;
}

const holds = async (tab, selector, name) => assertSame(await photograph(tab.page, selector), name);

test(
  'candles, volume, gaps, repairs and the drawing rail, dark; and the list',
  options,
  async () => {
    const tab = await open({ path: '/?interval=1m', colorScheme: 'dark' });
    await holds(tab, CHART, 'chart-dark');
    await holds(tab, LIST, 'list-dark');
    await tab.close();
  },
);

const western = (page) =>
  page.addInitScript(() => localStorage.setItem('stofka.colours', 'western'));

test(
  'hollow candles and indicators, light, in western colours; and the list',
  options,
  async () => {
    const path = '/?interval=1h&kind=hollow&studies=bb20-2_macd12-26-9';
    const tab = await open({ path, colorScheme: 'light', setUp: western });
    await holds(tab, CHART, 'chart-light');
    await holds(tab, LIST, 'list-light');
    await tab.close();
  },
);

test('on a phone, the chart and the sheet', options, async () => {
  const viewport = { width: 360, height: 640 };
  const phone = { viewport, hasTouch: true, isMobile: true, path: '/?interval=1d' };
  const tab = await open({ ...phone, colorScheme: 'dark' });
  await holds(tab, CHART, 'chart-phone');
  await tab.page.locator('.sheet-handle').tap();
  await tab.page.locator('.row').first().waitFor();
  await holds(tab, LIST, 'list-phone');
  await tab.close();
});

test('every kind and scale', options, async () => {
  const viewport = { width: 940, height: 440 };
  const tab = await open({ viewport, path: '/?interval=1w', colorScheme: 'dark' });
  const pick = (tool, value) => tab.page.locator(`[data-tool=${tool}]`).selectOption(value);
  for (const kind of ['heikin', 'line', 'area']) {
    await pick('kind', kind);
    await holds(tab, CHART, `kind-${kind}`);
  }
  await pick('kind', 'candles');
  for (const scale of ['percent', 'log']) {
    await pick('scale', scale);
    await holds(tab, CHART, `scale-${scale}`);
  }
  await tab.close();
});

/** The 20th candle of each answer closes where it opened. */
const otherClose = (page) =>
  page.route('**/candles?*', async (route) => {
    const response = await route.fetch();
    const text = await response.text();
    let seen = 0;
    const row = (one) => {
      const [, open] = /"opening_price":([\d.]+)/.exec(one);
      const close = `"trade_price":${open}`;
      return (seen += 1) === 20 ? one.replace(/"trade_price":[\d.]+/, close) : one;
    };
    await route.fulfill({ response, body: text.replace(/\{[^}]*\}/g, row) });
  });

/** Pictures that these leave the same would be worth nothing. */
const CHANGES = {
  'one candle closes elsewhere': { setUp: otherClose, selectors: [CHART] },
  'other colours': { setUp: western, selectors: [CHART, LIST] },
  'a market less': {
    setUp: (page) =>
      page.route('**/markets', async (route) => {
        const rows = await (await route.fetch()).json();
        await route.fulfill({ json: rows.slice(0, -30) });
      }),
    selectors: [LIST],
  },
};

test('a real change is seen', options, async () => {
  for (const [what, { setUp, selectors }] of Object.entries(CHANGES)) {
    const tab = await open({ path: '/?interval=1m', colorScheme: 'dark', setUp });
    for (const selector of selectors) {
      const name = selector === CHART ? 'chart-dark' : 'list-dark';
      const { count, same } = compare(await photograph(tab.page, selector), name);
      assert.ok(!same, `${what}: ${count}`);
    }
    await tab.close();
  }
});
