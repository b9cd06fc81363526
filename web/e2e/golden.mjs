// SPDX-License-Identifier: Apache-2.0
// Pictures of the page held against reviewed ones in golden/. Words are left out of both, or
// are bars of their colour, and what is measured of them is made up: other fonts change nothing.
//   STOFKA_GOLDEN=write node --test e2e/golden.test.mjs    writes them anew: look at them then
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';
import { keep } from './browser.mjs';

/** Pixels that may differ: another Chromium's curves. One moved candle is more. */
const TOLERANCE = 40;
const COLOUR_DISTANCE = 0.1;

const WORDLESS = `
  *, *::placeholder { -webkit-text-fill-color: transparent !important; text-shadow: none !important;
    caret-color: transparent !important; }
  .row b, .row small, .row-price, .row-turnover { display: block; justify-self: end; width: 40px;
    height: 8px; padding: 0; overflow: hidden; background: currentColor; }
  .row b, .row small { margin: 4px 0; }
  .row-change small { margin-left: auto; }
  *, *::before, *::after { transition: none !important; animation: none !important; }`;

/** Before the page runs: the canvas writes nothing, and every letter is as wide as the next. */
function muteCanvas() {
  const { prototype } = CanvasRenderingContext2D;
  prototype.fillText = prototype.strokeText = () => undefined;
  prototype.measureText = (text) => ({
    width: text.length * 6,
    actualBoundingBoxAscent: 8,
    actualBoundingBoxDescent: 2,
  });
}

/** How to open a page that is to be photographed. */
export const wordless = (setUp) => ({
  bypassCSP: true, // for the style above
  reducedMotion: 'reduce',
  setUp: async (page) => {
    await page.addInitScript(muteCanvas);
    await setUp?.(page);
  },
});

export async function photograph(page, selector) {
  await page.addStyleTag({ content: WORDLESS });
  await page.mouse.move(0, 0);
  await page.waitForFunction(() => document.getAnimations().length === 0);
  return page.locator(selector).screenshot({ scale: 'css', animations: 'disabled' });
}

const pathOf = (name) => new URL(`golden/${name}.png`, import.meta.url);

/** How many pixels of `picture` are not the reviewed one's, and where. */
export function compare(picture, name) {
  if (!existsSync(pathOf(name))) throw new Error(`golden/${name}.png is missing`);
  const [golden, taken] = [readFileSync(pathOf(name)), picture].map((file) => PNG.sync.read(file));
  const { width, height } = golden;
  assert.deepEqual([taken.width, taken.height], [width, height], name);
  const difference = new PNG({ width, height });
  const options = { threshold: COLOUR_DISTANCE };
  const count = pixelmatch(golden.data, taken.data, difference.data, width, height, options);
  return { count, same: count <= TOLERANCE, difference: PNG.sync.write(difference) };
}

/** The picture is the reviewed one; when not, both it and what differs are left for people to see. */
export function assertSame(picture, name) {
  if (process.env.STOFKA_GOLDEN === 'write') writeFileSync(pathOf(name), picture);
  const { count, same, difference } = compare(picture, name);
  if (!same) {
    keep(`golden-${name}-taken.png`, picture);
    keep(`golden-${name}-difference.png`, difference);
  }
  assert.ok(same, `${name}: ${count} pixels differ; see golden-${name}-*.png`);
}
