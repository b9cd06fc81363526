// SPDX-License-Identifier: Apache-2.0
// The real programs on loopback, as `make demo` starts them, for tests that also kill them.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BUILD = process.env.STOFKA_BUILD ?? join(ROOT, 'build');
const PATIENCE_MS = 60_000;

/** The fields of a log line that has this event; null when it has not. */
function fieldsOf(line, event) {
  const fields = Object.fromEntries(
    [...line.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"|\S+)/g)].map(([, name, text]) => [
      name,
      text.startsWith('"') ? JSON.parse(text) : text,
    ]),
  );
  return fields.event === event ? fields : null;
}

/** A program, and the fields of the first log line with `event`. */
async function start(name, args, event) {
  const child = spawn(join(BUILD, name), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const last = [];
  const said = new Promise((resolve, reject) => {
    const late = () => reject(new Error(`${name} did not say ${event}: ${last.join('\n')}`));
    const timer = setTimeout(late, PATIENCE_MS);
    child.on('exit', late);
    createInterface({ input: child.stderr }).on('line', (line) => {
      last.push(line);
      if (last.length > 20) last.shift();
      const fields = fieldsOf(line, event);
      if (!fields) return;
      clearTimeout(timer);
      child.off('exit', late);
      resolve(fields);
    });
  });
  return { child, fields: await said };
}

async function end(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

/** Stofka, its data and what can be done to it. */
class Server {
  constructor(exchange, data, flags) {
    this.exchange = exchange;
    this.data = data;
    this.flags = flags;
    this.listen = '127.0.0.1:0';
  }

  async start() {
    const places = ['--listen', this.listen, '--admin', '127.0.0.1:0', '--data', this.data];
    const args = ['run', '--exchange', this.exchange, ...places, ...this.flags];
    const { child, fields } = await start('stofka', args, 'serve.listening');
    this.child = child;
    this.url = fields.url;
    this.admin = fields.admin;
    this.listen = new URL(fields.url).host; // it comes back at the same address
  }

  kill() {
    return end(this.child, 'SIGKILL');
  }

  stop() {
    return end(this.child, 'SIGTERM');
  }

  /** The data file is lost, as on a new machine: another epoch. */
  forget() {
    return rm(this.data, { recursive: true, force: true });
  }

  async metric(name) {
    const text = await (await fetch(`${this.admin}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  }

  async json(path) {
    return (await fetch(this.url + path)).json();
  }
}

export async function until(predicate, what = predicate, patienceMs = PATIENCE_MS) {
  const late = Date.now() + patienceMs;
  for (;;) {
    const answer = await predicate();
    if (answer) return answer;
    if (Date.now() > late) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * A simulated market and Stofka in front of it, ready: {server, exchange(path), stop()}. `exchange`
 * posts to the simulator's own controls.
 */
export async function startProgram({ sim = [], stofka = [], wait = true } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'stofka-page-'));
  const market = await start('stofka-sim', ['--port', '0', ...sim], 'sim.listening');
  const server = new Server(market.fields.url, join(folder, 'data'), stofka);
  const stop = async () => {
    if (server.child) await server.stop();
    await end(market.child, 'SIGTERM');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await server.start();
    if (wait) await until(async () => (await fetch(`${server.url}/readyz`)).ok, 'ready');
  } catch (error) {
    await stop();
    throw error;
  }
  const exchange = (path) => fetch(market.fields.url + path, { method: 'POST' });
  return { server, exchange, stop };
}

/**
 * Stofka whose exchange can't be reached until `begin()`: {server, begin(), stop()}. The simulator
 * was there once, so that its port is known, and no other's.
 */
export async function startLate() {
  const folder = await mkdtemp(join(tmpdir(), 'stofka-page-'));
  const first = await start('stofka-sim', ['--port', '0'], 'sim.listening');
  const { url } = first.fields;
  await end(first.child, 'SIGTERM');
  const server = new Server(url, join(folder, 'data'), []);
  await server.start();
  let market = null;
  const begin = async () => {
    const port = new URL(url).port;
    market = await start('stofka-sim', ['--port', port, '--codes-count', '5'], 'sim.listening');
  };
  const stop = async () => {
    await server.stop();
    if (market) await end(market.child, 'SIGTERM');
    await rm(folder, { recursive: true, force: true });
  };
  return { server, begin, stop };
}

/** Stofka without an exchange, over the minutes of a market in a file: {server, stop()}. */
export async function startStored(file, flags = [], code = 'KRW-BTC') {
  const folder = await mkdtemp(join(tmpdir(), 'stofka-page-'));
  const data = join(folder, 'data');
  const args = ['import', '--data', data, '--code', code, '--interval', '1m', file];
  const server = new Server('none', data, flags);
  const stop = async () => {
    if (server.child) await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await promisify(execFile)(join(BUILD, 'stofka'), args, { maxBuffer: 1 << 24 });
    await server.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { server, stop };
}
