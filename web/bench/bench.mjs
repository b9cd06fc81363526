// SPDX-License-Identifier: Apache-2.0
// `make bench-web`: the page's figures, beside the library's bare demo in the same Chromium, the two
// in turns. Prints tables and writes build/bench-web.json. `--soak MINUTES` watches the heap instead.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { chromium } from 'playwright-core';
import { startProgram, startStored } from '../e2e/program.mjs';
import { longHistory } from './history.mjs';
import { median, probe } from './probe.mjs';
import { chartBox, openScene, pan } from './scenes.mjs';
import { soak } from './soak.mjs';
import { startSite } from './site.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const WATCH_MS = 8_000;
const PROFILE_MS = 4_000;
const SETTLE_MS = 3_000;
const HISTORY = 200_000;
const MARKETS = ['--codes-count', '250', '--history', '1'];
const RESULT = fileURLToPath(new URL('../../build/bench-web.json', import.meta.url));
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--no-first-run',
];
const LIBRARIES = ['charts', 'react'];

/** Two markets at full rate: as they are, and with the chart moving as often as it ever will. */
const RATES = {
  'real time': ['--rate', '300'],
  'ten times as fast': ['--rate', '30', '--speed', '10'],
};

const read = async (path) => JSON.parse(await readFile(new URL(path, import.meta.url)));

async function bundle() {
  const folder = new URL('../dist/', import.meta.url);
  const files = await readdir(folder, { recursive: true });
  const kept = files.filter((name) => /\.(html|js|css)$/.test(name));
  const sizes = await Promise.all(
    kept.map(async (name) => {
      const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
      return brotliCompressSync(await readFile(new URL(name, folder)), { params }).length;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0) / 1024;
}

/** Both scenes, in turns; {page: [...], bare: [...]} of what `measure` gave. */
async function inTurns(browser, place, rounds, measure) {
  const found = { page: [], bare: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const name of ['page', 'bare']) {
      const scene = await openScene(browser, name, place);
      found[name].push(await measure(scene, name));
      await scene.close();
    }
  }
  return found;
}

async function live(browser, site, flags) {
  const { server, stop } = await startProgram({
    sim: [...MARKETS, ...flags],
    stofka: ['--serve.cors', '*'],
  });
  const place = { url: server.url, site, code: 'KRW-BTC', interval: '1s' };
  place.box = await chartBox(browser, place);
  const found = await inTurns(browser, place, ROUNDS, async ({ page, scene, firstDraw }, name) => {
    const { watch, profile } = await probe(page);
    await page.waitForTimeout(SETTLE_MS);
    const watched = await watch(WATCH_MS, scene.draws);
    const spent = name === 'page' ? await profile(PROFILE_MS, scene.draws) : {};
    const own = spent.index ?? 0;
    const libraries = LIBRARIES.reduce((sum, one) => sum + (spent[one] ?? 0), 0);
    return { ...watched, firstDraw, own, libraries };
  });
  await stop();
  return found;
}

async function deep(browser, site) {
  const folder = await mkdtemp(join(tmpdir(), 'stofka-bench-'));
  const rows = await longHistory(join(folder, 'minutes.csv'), HISTORY);
  const { server, stop } = await startStored(join(folder, 'minutes.csv'), ['--serve.cors', '*']);
  const place = { url: server.url, site, code: 'KRW-BTC', interval: '1m', bars: 5000 };
  place.box = await chartBox(browser, place);
  const found = await inTurns(browser, place, 3, async (scene) => {
    const smooth = await pan(scene, { frames: 300, step: 12, blankness: 0 });
    const looked = await pan(scene, { frames: 300, step: 12, blankness: 3 });
    return { fps: 1000 / median(smooth.lengths), blank: looked.blank };
  });
  const scene = await openScene(browser, 'page', place);
  const reached = await reach(scene, rows.first);
  await scene.close();
  await stop();
  await rm(folder, { recursive: true, force: true });
  return { ...found, ...reached };
}

/** Zoomed out, the chart is pulled to the oldest bar; how many were ever held at once. */
async function reach(scene, first) {
  const { page } = scene;
  const box = await page.locator(scene.scene.canvas).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + 150);
  for (let turn = 0; turn < 30; turn += 1) await page.mouse.wheel(0, 400);
  let [most, blank, pulls] = [0, 0, 0];
  for (; pulls < 400; pulls += 1) {
    const pulled = await pan(scene, { frames: 20, step: 45, blankness: 2 });
    const [bars, oldest] = await page.evaluate(() => [
      window.__stofka.bars,
      window.__stofka.first.start,
    ]);
    most = Math.max(most, bars);
    blank += pulled.blank;
    if (oldest <= first) return { reached: true, most, blankWhileReaching: blank, pulls };
  }
  return { reached: false, most, blankWhileReaching: blank, pulls };
}

const middle = (list, field) => median(list.map((one) => one[field]));
const line = (...cells) => console.log(`| ${cells.join(' | ')} |`);
const n = (value, digits = 1) => value.toFixed(digits);

function printLive(name, { page, bare }) {
  const row = (what, field, digits) => {
    const [ours, theirs] = [middle(page, field), middle(bare, field)];
    line(`${name}: ${what}`, n(ours, digits), n(theirs, digits), n(ours / theirs, 2));
  };
  row('first chart drawn, ms', 'firstDraw', 0);
  row('main thread, ms a tick', 'perTick');
  row('main thread, ms a second', 'perSecond');
  row('frames a second', 'fps');
  line(`${name}: own code, ms a tick`, n(middle(page, 'own')), '', '');
  line(`${name}: libraries, ms a tick`, n(middle(page, 'libraries')), '', '');
}

function printDeep(far) {
  const [fps, bareFps] = [middle(far.page, 'fps'), middle(far.bare, 'fps')];
  line('pan, frames a second', n(fps), n(bareFps), n(fps / bareFps, 2));
  const blank = far.page.reduce((sum, one) => sum + one.blank, 0);
  line('pan, looks that found a blank edge', blank, '', '');
  line(`${HISTORY} bars reached by pulling`, far.reached ? 'yes' : 'no', '', '');
  line('most bars held meanwhile', far.most, '', '');
  line('blank edges meanwhile', far.blankWhileReaching, '', '');
}

async function main() {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
  const site = await startSite();
  const soaking = process.argv.indexOf('--soak');
  if (soaking > 0) {
    const minutes = Number(process.argv[soaking + 1] ?? 30);
    const { server, stop } = await startProgram({ sim: [...MARKETS, ...RATES['real time']] });
    const place = { url: server.url, code: 'KRW-BTC', interval: '1m' };
    const flat = await soak(browser, place, minutes);
    await stop();
    await browser.close();
    site.close();
    process.exitCode = flat ? 0 : 1;
    return;
  }
  const versions = {
    chromium: browser.version(),
    'lightweight-charts': (await read('../node_modules/lightweight-charts/package.json')).version,
    node: process.version,
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
  };
  const result = {
    machine: { cpu: cpus()[0].model, cores: cpus().length, load: loadavg() },
    versions,
  };
  console.log(JSON.stringify({ machine: result.machine, versions }));
  line('figure (medians)', 'page', 'bare demo', 'ratio');
  line('---', '---:', '---:', '---:');
  result.bundleKb = await bundle();
  line('html, js, css with brotli, KB', n(result.bundleKb), '', '');
  result.live = {};
  for (const [name, flags] of Object.entries(RATES)) {
    result.live[name] = await live(browser, site.url, flags);
    printLive(name, result.live[name]);
  }
  result.deep = await deep(browser, site.url);
  printDeep(result.deep);
  result.machine.loadAfter = loadavg();
  await browser.close();
  site.close();
  await mkdir(new URL('../../build/', import.meta.url), { recursive: true });
  await writeFile(RESULT, `${JSON.stringify(result, null, 1)}\n`);
}

await main();
