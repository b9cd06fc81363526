// SPDX-License-Identifier: Apache-2.0
// The page and the bare demo, each opened the same way in the same browser.
const VIEWPORT = { width: 1440, height: 900 };

/** Notes, in the page, when the first frame with a chart in it was over. */
function noteFirstDraw() {
  const look = () => {
    const drawn =
      (window.__stofka?.bars > 0 && window.__stofka.draws > 0) || window.__bare?.draws > 0;
    if (drawn) requestAnimationFrame(() => (window.__firstDraw = performance.now()));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

export const SCENES = {
  page: {
    draws: () => window.__stofka.draws,
    bars: () => window.__stofka.bars,
    canvas: '.chart-canvas',
    pulled: () => window.__stofka.view.at !== null,
    address: ({ url, code, interval }) => `${url}/?code=${code}&interval=${interval}`,
  },
  bare: {
    draws: () => window.__bare.draws,
    bars: () => window.__bare.bars,
    canvas: '#chart',
    pulled: () => window.__bare.chart.timeScale().scrollPosition() < -50,
    address: ({ url, site, code, interval, bars = 500, box }) =>
      `${site}/bare.html?${new URLSearchParams({ server: url, code, interval, bars, ...box }).toString()}`,
  },
};

/** Opens a scene in a profile of its own, up to its first chart. */
export async function openScene(browser, name, place) {
  const scene = SCENES[name];
  const context = await browser.newContext({
    locale: 'en-GB',
    viewport: VIEWPORT,
    colorScheme: 'dark',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.addInitScript(noteFirstDraw);
  await page.goto(scene.address(place));
  await page.waitForFunction(() => window.__firstDraw > 0);
  const firstDraw = await page.evaluate(() => window.__firstDraw);
  return { page, scene, firstDraw, close: () => context.close() };
}

/** The size of the page's chart and the font of its labels, for the bare demo's. */
export async function chartBox(browser, place) {
  const { page, close } = await openScene(browser, 'page', place);
  const canvas = page.locator('.chart-canvas');
  const { width, height } = await canvas.boundingBox();
  const font = await canvas.evaluate((element) => getComputedStyle(element).fontFamily);
  await close();
  return { width: Math.round(width), height: Math.round(height), font };
}

/**
 * Pulls the chart by one step each frame, as a hand with a mouse does, until `last()` of the page
 * says so or the frames are over. Returns the frames' lengths in ms, and in how many of them the
 * chart's left edge was blank.
 */
export function pan({ page, scene }, { frames, step, blankness }) {
  return page.evaluate(
    async ({ selector, count, dx, look }) => {
      const host = document.querySelector(selector);
      const box = host.getBoundingClientRect();
      const canvas = [...host.querySelectorAll('canvas')].find(
        ({ clientWidth }) => clientWidth > 200,
      );
      const y = box.top + 150;
      const fire = (type, x, target) =>
        target.dispatchEvent(
          new MouseEvent(type, {
            bubbles: true,
            clientX: x,
            clientY: y,
            button: 0,
            buttons: 1,
            view: window,
          }),
        );
      const target = [...host.querySelectorAll('canvas')]
        .filter(({ clientWidth }) => clientWidth > 200)
        .at(1);
      const root = document.documentElement; // where the library listens while a button is down
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      const isBlank = () => {
        const { width, height } = canvas;
        const { data } = canvas.getContext('2d').getImageData(0, 0, Math.min(24, width), height);
        // Candles are red or blue; grid and ground are neither.
        for (let at = 0; at < data.length; at += 4) {
          if (Math.abs(data[at] - data[at + 2]) > 60) return false;
        }
        return true;
      };
      const lengths = [];
      let blank = 0;
      let x = box.left + 60;
      fire('mousedown', x, target);
      let before = await frame();
      for (let turn = 0; turn < count; turn += 1) {
        x += dx;
        if (x > box.right - 200) {
          fire('mouseup', x, root);
          x = box.left + 60;
          await frame(); // a hand takes longer
          before = await frame();
          fire('mousedown', x, target);
        }
        fire('mousemove', x, root);
        const now = await frame();
        lengths.push(now - before);
        before = now;
        if (look && turn % look === 0 && isBlank()) blank += 1;
        if (document.querySelector('.beginning')) break; // nothing is left of it
      }
      fire('mouseup', x, root);
      return { lengths, blank };
    },
    { selector: scene.canvas, count: frames, dx: step, look: blankness },
  );
}

/** Turns the wheel by one notch each frame, out and in again. Returns the frames' lengths in ms. */
export function wheel({ page, scene }, { frames }) {
  return page.evaluate(
    async ({ selector, count }) => {
      const canvases = [...document.querySelectorAll(`${selector} canvas`)];
      const target = canvases.filter(({ clientWidth }) => clientWidth > 200).at(1);
      const box = target.getBoundingClientRect();
      const place = { clientX: box.left + box.width / 2, clientY: box.top + 100 };
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      const lengths = [];
      let before = await frame();
      for (let turn = 0; turn < count; turn += 1) {
        const deltaY = turn % 60 < 30 ? 100 : -100;
        const more = { bubbles: true, cancelable: true, deltaY };
        target.dispatchEvent(new WheelEvent('wheel', { ...place, ...more }));
        const now = await frame();
        lengths.push(now - before);
        before = now;
      }
      return { lengths };
    },
    { selector: scene.canvas, count: frames },
  );
}
