// SPDX-License-Identifier: Apache-2.0
// One browser for a file of tests, and a server: STOFKA_URL's, the real program, or the mock.
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { startMock } from './mock-server.mjs';
import { startProgram } from './program.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const WAIT_MS = 20_000;

export const external = process.env.STOFKA_URL;

async function startServer(program, world) {
  if (external) return { url: external.replace(/\/$/, ''), stop: () => undefined };
  if (!program) {
    const { url, close } = await startMock(0, world);
    return { url, stop: close };
  }
  const { server, exchange, stop } = await startProgram(program === true ? {} : program);
  return { url: server.url, server, exchange, stop };
}

/**
 * `program`: the real one and its simulator instead of the mock, started with these flags; then
 * `server` and `exchange` of program.mjs are there too. `world`: what the mock is like.
 */
export async function startBrowser({ program = false, world = {}, flags = [] } = {}) {
  const started = await startServer(program, world);
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium
    .launch({ executablePath, headless: true, args: [...FLAGS, ...flags] })
    .catch(async (error) => {
      await started.stop(); // else its processes keep this one alive
      throw error;
    });
  const close = async () => {
    await browser.close();
    await started.stop();
  };
  return { ...started, close, open: (options) => openPage(browser, started.url, options) };
}

/**
 * A page with what it did wrong: console errors, exceptions, requests to anyone else. `alone`: its
 * stream is its own, as in browsers without SharedWorker; `beside`: another tab of the same person;
 * `at`: another server's address.
 */
async function openPage(browser, home, { path = '/', at, setUp, alone, beside, ...options } = {}) {
  const url = at ?? home;
  const context =
    beside?.page.context() ??
    (await browser.newContext({
      locale: 'en-GB',
      viewport: { width: 1440, height: 900 },
      ...options,
    }));
  const page = await context.newPage();
  if (alone) await page.addInitScript(() => delete window.SharedWorker);
  page.setDefaultTimeout(WAIT_MS);
  const faults = [];
  const requests = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    requests.push(`${request.method()} ${request.url()}`);
    if (new URL(request.url()).origin !== new URL(url).origin) faults.push(request.url());
  });
  await setUp?.(page);
  await page.goto(url + path);
  const until = (predicate, argument) =>
    page.waitForFunction(predicate, argument, { timeout: WAIT_MS, polling: 100 });
  const close = () => (beside ? page.close() : context.close());
  return { page, faults, requests, until, close };
}

export async function ready({ until }) {
  await until(() => {
    const { chart, connection, bars } = window.__stofka;
    return chart.phase === 'ready' && connection.link === 'open' && bars > 0;
  });
}

/** Starts of the loaded bars, checked to ascend. */
export async function starts(page) {
  const list = await page.evaluate(() => window.__stofka.candles.map((candle) => candle.start));
  list.forEach((start, at) => {
    if (at > 0 && !(start > list[at - 1])) throw new Error(`bar ${start} after ${list[at - 1]}`);
  });
  return list;
}

/** Where pictures for people are left. */
function pictures() {
  const folder = process.env.STOFKA_PICTURES ?? join(tmpdir(), 'stofka-e2e');
  mkdirSync(folder, { recursive: true });
  return folder;
}

export function keep(name, content) {
  writeFileSync(join(pictures(), name), content);
}

export async function picture(page, name) {
  await page.screenshot({ path: join(pictures(), `${name}.png`) });
}
