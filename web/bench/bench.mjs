// SPDX-License-Identifier: Apache-2.0
// `make bench-web`: the page's figures, beside the library's bare demo in the same Chromium, the two
// in turns. Prints a table and writes build/bench-web.json; `--readme` puts it into both READMEs,
// `--only bundle,live,deep` takes parts, `--rounds N` others than three. `--soak MINUTES` watches the
// heap instead.
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { startProgram } from '../e2e/program.mjs';
import { bundleKb, MOST_KB } from './bundle.mjs';
import { addDeep, deep } from './deep.mjs';
import { addLive, live, MARKETS, RATES } from './live.mjs';
import { Table } from './report.mjs';
import { startSite } from './site.mjs';
import { soak } from './soak.mjs';

const RESULT = fileURLToPath(new URL('../../build/bench-web.json', import.meta.url));
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--no-first-run',
];

async function surroundings(browser) {
  const library = new URL('../node_modules/lightweight-charts/package.json', import.meta.url);
  return {
    cpu: cpus()[0].model,
    cores: cpus().length,
    kernel: release(),
    chromium: browser.version(),
    'lightweight-charts': JSON.parse(await readFile(library)).version,
    node: process.version,
    load: loadavg()[0].toFixed(1),
    when: new Date().toISOString().slice(0, 16),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
  };
}

async function watchHeap(browser, minutes) {
  // The full rate by the market's own clock: at ten times that the chart itself would grow.
  const sim = [...MARKETS, '--every-second', '--rate', '2500'];
  const { server, stop } = await startProgram({ sim });
  const flat = await soak(browser, { url: server.url, code: 'KRW-BTC', interval: '1m' }, minutes);
  await stop();
  return flat;
}

async function measureAll(browser, site, { only, rounds, readme }) {
  const around = await surroundings(browser);
  const machine =
    `${around.cpu}, ${around.cores} cores, Linux ${around.kernel}, Chromium ${around.chromium} ` +
    `without GPU, lightweight-charts ${around['lightweight-charts']}, load ${around.load}, ` +
    `${around.when} UTC, commit ${around.commit}`;
  console.log(machine);
  const table = new Table();
  const result = { ...around };
  if (only.includes('bundle')) {
    const bar = { of: 'page', most: MOST_KB };
    table.add({ what: 'html, js, css with brotli, KB', page: await bundleKb(), bar });
  }
  if (only.includes('live')) {
    for (const [name, flags] of Object.entries(RATES)) {
      result[name] = await live(browser, site, flags, rounds);
      addLive(table, name, result[name]);
    }
  }
  if (only.includes('deep')) {
    result.deep = await deep(browser, site, Math.ceil(rounds / 2)); // hardly differs by round
    addDeep(table, result.deep);
  }
  await mkdir(new URL('../../build/', import.meta.url), { recursive: true });
  const whole = { ...result, loadAfter: loadavg()[0], rows: table.rows };
  await writeFile(RESULT, `${JSON.stringify(whole, null, 1)}\n`);
  if (readme) await table.writeReadme(machine);
  console.log(table.missed.length ? `missed: ${table.missed.join('; ')}` : 'all bars met');
}

async function main() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: 'bundle,live,deep' },
      rounds: { type: 'string', default: '3' },
      readme: { type: 'boolean', default: false },
      soak: { type: 'string' },
    },
  });
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
  const site = await startSite();
  try {
    if (values.soak) process.exitCode = (await watchHeap(browser, Number(values.soak))) ? 0 : 1;
    else await measureAll(browser, site.url, { ...values, rounds: Number(values.rounds) });
  } finally {
    await browser.close();
    site.close();
  }
}

await main();
