// SPDX-License-Identifier: Apache-2.0
// Whatever a page has ever said, be it for one turn only: flickers, too.

/** For `setUp`: notes each badge, interval and notice that is shown, in order. */
export const noteSeen = (page) =>
  page.addInitScript(() => {
    const shown = {
      badge: '[data-badge]',
      interval: '[data-interval][aria-pressed=true]',
      notice: '.notice, .chart-notice',
    };
    window.__seen = { badge: [], interval: [], notice: [] };
    const look = () => {
      for (const [kind, selector] of Object.entries(shown)) {
        const now = [...document.querySelectorAll(selector)];
        const words = now.map((one) => one.dataset.badge ?? one.dataset.interval ?? one.innerText);
        const seen = window.__seen[kind];
        if (words.join() && seen.at(-1) !== words.join()) seen.push(words.join());
      }
    };
    const all = { subtree: true, childList: true, attributes: true, characterData: true };
    new MutationObserver(look).observe(document, all);
  });

export const seen = (page) => page.evaluate(() => window.__seen);
