// SPDX-License-Identifier: Apache-2.0
// The real program goes and comes back; the page goes on, with every second the API's.
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { external, picture, ready } from './browser.mjs';
import { badge, goesOn, last, startLive } from './live.mjs';
import { until } from './program.mjs';
import { assertTrue } from './truth.mjs';

/** Few enough to be taken all by a test. */
const LIMIT = 80;

let browser;
before(async () => (browser = await startLive(['--serve.connections', String(LIMIT)])));
after(() => browser.close());

const options = { skip: external ? 'STOFKA_URL is set' : false };

test('a killed server comes back: the page goes on where it was', options, async () => {
  const tab = await browser.open();
  await ready(tab);
  const before = await last(tab);
  await browser.server.kill();
  await tab.page.locator('[data-badge=reconnecting], [data-badge=offline]').waitFor();
  await picture(tab.page, 'restart-down');
  await browser.server.start();
  await badge(tab, 'live');
  await goesOn(tab, before, 10);
  await picture(tab.page, 'restart');
  await assertTrue(tab, browser.url);
  await tab.close();
});

test('a server without its data says reset, and the page fetches all again', options, async () => {
  const tab = await browser.open({ alone: true });
  await ready(tab);
  const before = await last(tab);
  const asked = tab.requests.length;
  await browser.server.kill();
  await browser.server.forget();
  await browser.server.start();
  await until(() => tab.requests.slice(asked).some((request) => request.includes('/candles?')));
  await badge(tab, 'live');
  await goesOn(tab, before, 8);
  await assertTrue(tab, browser.url);
  await tab.close();
});

/** Streams of our own until no place is left; resolves when the server has said hello to each. */
async function takeAllPlaces() {
  const { hostname, port } = new URL(browser.url);
  const hold = () =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      socket.on('connect', () =>
        socket.write('GET /stream?sub=ticker:* HTTP/1.1\r\nHost: x\r\n\r\n'),
      );
      let told = '';
      socket.on('data', (text) => (told += text).includes('event: hello') && resolve(socket));
      socket.on('error', reject).on('close', () => reject(new Error(`let go: ${told}`)));
    });
  const sockets = [];
  // One after the other: a place whose request has not come yet is given to the next who asks.
  while (sockets.length < LIMIT) sockets.push(await hold());
  return () => sockets.forEach((socket) => socket.destroy());
}

test('refused with 503, the page asks again by itself', options, async () => {
  const tab = await browser.open({ alone: true });
  await ready(tab);
  const before = await last(tab);
  await browser.server.kill();
  await tab.page.context().setOffline(true); // until all places are taken
  await browser.server.start();
  await until(async () => (await fetch(`${browser.url}/readyz`)).ok, 'ready');
  const leave = await takeAllPlaces();
  const refused = tab.page.waitForResponse((response) => response.status() === 503);
  await tab.page.context().setOffline(false);
  await refused;
  await badge(tab, 'reconnecting');
  leave();
  await badge(tab, 'live');
  await goesOn(tab, before, 6);
  await assertTrue(tab, browser.url);
  await tab.close();
});
