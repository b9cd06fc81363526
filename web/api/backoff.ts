// SPDX-License-Identifier: Apache-2.0

const FIRST_MS = 500;
const LONGEST_MS = 8_000;

/** Wait before try number `attempt` (1, 2, …): doubles to a limit, spread by up to a quarter. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 16));
  return Math.round(full * (0.75 + 0.25 * random()));
}
