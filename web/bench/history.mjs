// SPDX-License-Identifier: Apache-2.0
// A long past, seeded: one bar a minute, the newest a few minutes ago.
import { writeFile } from 'node:fs/promises';

/** Writes CSV for `stofka import`; tells the start of the first bar, seconds UTC. */
export async function longHistory(path, count) {
  const end = Math.floor(Date.now() / 60_000) * 60 - 300;
  const first = end - count * 60;
  const lines = ['timestamp,open,high,low,close,volume'];
  let seed = 7;
  const chance = (below) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  let price = 100_000;
  for (let at = 0; at < count; at += 1) {
    const open = price;
    price = Math.max(1000, price + chance(121) - 60);
    const high = Math.max(open, price) + chance(20);
    const low = Math.min(open, price) - chance(20);
    const cells = [open, high, low, price].map((value) => `${value}000`);
    lines.push([first + at * 60, ...cells, `${1 + chance(5)}.5`].join(','));
  }
  await writeFile(path, `${lines.join('\n')}\n`);
  return { first };
}
