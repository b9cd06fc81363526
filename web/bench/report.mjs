// SPDX-License-Identifier: Apache-2.0
// The table of figures, with their bars, as it is printed and as the README carries it.
import { readFile, writeFile } from 'node:fs/promises';

const HEAD = '| what | page | bare demo | ratio | bar | |';
const RULE = '|---|---:|---:|---:|---|---|';
const MARKS = ['<!-- bench-web -->\n', '<!-- /bench-web -->\n'];

const text = (value, digits) => (typeof value === 'number' ? value.toFixed(digits) : (value ?? ''));

export class Table {
  rows = [];
  lines = [HEAD, RULE];

  constructor() {
    console.log(this.lines.join('\n'));
  }

  /** `bar`: {of: 'page' or 'ratio', most} or {of, least}. */
  add({ what, page, bare, digits = 1, bar }) {
    const ratio = typeof bare === 'number' && bare !== 0 ? page / bare : undefined;
    const value = bar?.of === 'ratio' ? ratio : page;
    const met = bar && (bar.most === undefined ? value >= bar.least : value <= bar.most);
    const asked = bar && `${bar.of} ${bar.most === undefined ? `≥ ${bar.least}` : `≤ ${bar.most}`}`;
    const verdict = bar ? (met ? 'met' : 'missed') : '';
    const cells = [
      what,
      text(page, digits),
      text(bare, digits),
      text(ratio, 2),
      asked ?? '',
      verdict,
    ];
    this.rows.push({ what, page, bare, ratio, bar, met });
    this.lines.push(`| ${cells.join(' | ')} |`);
    console.log(this.lines.at(-1));
  }

  get missed() {
    return this.rows.filter(({ met }) => met === false).map(({ what }) => what);
  }

  /** Between the marks of both. */
  async writeReadme(machine) {
    for (const name of ['README.md', 'README.ko.md']) {
      const path = new URL(`../../${name}`, import.meta.url);
      const [before, rest] = (await readFile(path, 'utf8')).split(MARKS[0]);
      const [, after] = rest.split(MARKS[1]);
      const body = `${machine}\n\n${this.lines.join('\n')}\n`;
      await writeFile(path, before + MARKS[0] + body + MARKS[1] + after);
    }
  }
}
