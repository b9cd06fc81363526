// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';

const { source } = createRequire(import.meta.url)('axe-core');

/** Serious and critical findings, each with where it is. */
export async function findings(page) {
  await page.evaluate(source);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`);
}
