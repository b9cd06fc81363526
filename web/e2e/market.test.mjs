// SPDX-License-Identifier: Apache-2.0
// Header and list, with 300 markets of the real program at full rate.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { external, picture, ready, startBrowser } from './browser.mjs';

const MARKETS = 300;
const UNITS = { K: 1e3, M: 1e6, B: 1e9, T: 1e12, 만: 1e4, 억: 1e8, 조: 1e12 };

let browser;
before(async () => {
  const sim = ['--codes-count', String(MARKETS), '--rate', '300', '--history', '2'];
  browser = await startBrowser({ program: { sim } });
});
after(() => browser.close());

const options = { skip: external ? 'STOFKA_URL is set' : false };

/** "1,630억" → 163000000000, "-1.02%" → -1.02 */
function amountOf(text) {
  const [, digits, unit] = /^([-+\d,.]+)\s*(\p{L}*)/u.exec(text.trim());
  return Number(digits.replaceAll(',', '')) * (UNITS[unit] ?? 1);
}

const near = (shown, wanted, what) =>
  assert.ok(Math.abs(shown - wanted) <= Math.abs(wanted) * 0.006, `${what}: ${shown}, ${wanted}`);

const tickerOf = async (code) =>
  (await browser.server.json('/markets')).find((market) => market.code === code).ticker;

/** In the order of the header, row by row. */
const FACTS = [
  'high_price',
  'acc_trade_volume_24h',
  'highest_52_week_price',
  'low_price',
  'acc_trade_price_24h',
  'lowest_52_week_price',
];

async function checkHeader({ page }, code, unit) {
  const [price, change, facts] = await page.evaluate(() => [
    document.querySelector('.header-now').textContent,
    document.querySelector('.header-change').textContent,
    [...document.querySelectorAll('.facts dd')].map((fact) => fact.textContent),
  ]);
  const ticker = await tickerOf(code);
  near(amountOf(price), ticker.trade_price, 'price');
  const rate = ticker.signed_change_rate * 100;
  assert.ok(Math.abs(amountOf(change) - rate) < 0.5, `${change}, ${rate}`);
  FACTS.forEach((name, at) => near(amountOf(facts[at]), ticker[name], `${code} ${name}`));
  assert.ok(facts[2].includes(ticker.highest_52_week_date));
  assert.ok(facts[5].includes(ticker.lowest_52_week_date));
  assert.match(facts[4], unit);
  // No exponent, no rounding to zero, thousands grouped.
  assert.match(price, /^(\d{1,3}(,\d{3})*|0)(\.\d+)?$/);
  assert.ok(Number(price.replaceAll(',', '')) > 0, price);
}

/** The page is some tenths of a second behind: a tiny coin's tick more or less is a percent. */
async function headerIsTrue(tab, code, unit) {
  const late = Date.now() + 10_000;
  for (;;) {
    try {
      return await checkHeader(tab, code, unit);
    } catch (error) {
      if (!(error instanceof assert.AssertionError) || Date.now() > late) throw error;
    }
  }
}

for (const [locale, unit] of [
  ['en-GB', /[KMBT]/],
  ['ko-KR', /[만억조]/],
]) {
  test(`the header says what the API says, large and tiny, ${locale}`, options, async () => {
    const tab = await browser.open({ locale });
    await ready(tab);
    for (const code of ['KRW-BTC', 'KRW-SHIB', 'KRW-BTT']) {
      await tab.page.locator('.search input').fill(code.slice(4));
      await tab.page.locator(`.row[data-code="${code}"]`).click();
      await tab.until((one) => window.__stofka.last?.code === one, code);
      await tab.until((base) => {
        const pair = document.querySelector('.header-name span').textContent;
        return pair.startsWith(`${base}/`) && document.querySelectorAll('.facts dd').length === 6;
      }, code.slice(4));
      await headerIsTrue(tab, code, unit);
      await picture(tab.page, `header-${locale}-${code}`);
    }
    assert.deepEqual(tab.faults, []);
    await tab.close();
  });
}

test('prices flash as they move, and stand still for who asks for that', options, async () => {
  const tab = await browser.open();
  await ready(tab);
  await tab.until(() => document.querySelector('[data-flash]') !== null);
  await tab.close();
  const still = await browser.open({ reducedMotion: 'reduce' });
  await ready(still);
  await still.page.evaluate(() => {
    window.moved = new Set();
    const note = (records) => {
      for (const { target } of records) window.moved.add(target.parentElement?.className);
    };
    const what = { characterData: true, subtree: true };
    new MutationObserver(note).observe(document.querySelector('.rows'), what);
  });
  await still.until(() => [...window.moved].some((name) => /row-price/.test(name)));
  assert.equal(await still.page.locator('[data-flash]').count(), 0);
  await still.close();
});

/** Scrolls through the whole list, a step each frame, then stands still for as many frames. */
async function scrollThrough() {
  const rows = document.querySelector('.rows');
  const box = rows.getBoundingClientRect();
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  let [blank, frames, most] = [0, 0, 0];
  let began = performance.now();
  while (rows.scrollTop + rows.clientHeight < rows.scrollHeight - 1 && frames < 500) {
    rows.scrollTop += 150;
    await frame();
    frames += 1;
    if (!document.elementFromPoint(x, y)?.closest('.row')) blank += 1;
    most = Math.max(most, document.querySelectorAll('.row').length);
  }
  const moving = performance.now() - began;
  began = performance.now();
  for (let n = 0; n < frames; n += 1) await frame();
  return { blank, frames, most, slower: moving / (performance.now() - began) };
}

test(
  `${MARKETS} markets at full rate: the list scrolls without a blank and without a hitch`,
  options,
  async (context) => {
    const tab = await browser.open();
    await ready(tab);
    await tab.until((all) => window.__stofka.markets === all, MARKETS);
    const { blank, frames, most, slower } = await tab.page.evaluate(scrollThrough);
    context.diagnostic(`${frames} frames, ${slower.toFixed(2)} × as long as standing still`);
    assert.ok(frames > 50, `${frames}`);
    assert.equal(blank, 0);
    assert.ok(most < 60, `${most} rows are held`);
    assert.ok(slower < 3, `${slower}`);
    await tab.close();
  },
);

const COLUMNS = { turnover: '.row-turnover', price: '.row-price', change: '[data-figure=rate]' };

/** What is in sight, from the top: figures move on while one looks, by no more than `slack`. */
async function sorted(page, selector, way) {
  const texts = await page.locator('.rows li').evaluateAll((all, one) => {
    const rows = [...all].sort((a, b) => a.ariaPosInSet - b.ariaPosInSet);
    const text = (node) =>
      [...node.childNodes].filter(({ nodeType }) => nodeType === 3).map((part) => part.data);
    return rows.flatMap((row) => row.querySelector(one) ?? []).map((cell) => text(cell).join(''));
  }, selector);
  const figures = texts.map(amountOf);
  const slack = (figure) => (selector === COLUMNS.change ? 0.2 : Math.abs(figure) * 0.02);
  return (
    figures.length > 10 &&
    figures.every((f, at) => at === 0 || way * (f - figures[at - 1]) <= slack(f) + 1e-9)
  );
}

test('every column sorts by its figures, both ways', options, async () => {
  const tab = await browser.open();
  const { page } = tab;
  await ready(tab);
  for (const [column, selector] of Object.entries(COLUMNS)) {
    const button = page.locator(`[data-column=${column}]`);
    if (column !== 'turnover') await button.click(); // that one is on at first
    assert.equal(await button.getAttribute('aria-pressed'), 'true');
    for (const way of [1, -1]) {
      const late = Date.now() + 10_000;
      while (!(await sorted(page, selector, way))) assert.ok(Date.now() < late, `${column} ${way}`);
      await button.click();
    }
  }
  const names = async () => (await page.locator('.row b').allTextContents()).slice(0, 10);
  await page.locator('[data-column=name]').click();
  const fromA = await names();
  assert.deepEqual(
    fromA,
    [...fromA].sort((a, b) => a.localeCompare(b)),
  );
  await tab.close();
});
