// SPDX-License-Identifier: Apache-2.0
const PAGE = 10;

/** The row that a key leads to from row `at` of `count`; null when the key means nothing here. */
export function rowAfterKey(key: string, at: number, count: number): number | null {
  const moves: Record<string, number> = {
    ArrowDown: at + 1,
    j: at + 1,
    ArrowUp: at - 1,
    k: at - 1,
    PageDown: at + PAGE,
    PageUp: at - PAGE,
    Home: 0,
    End: count - 1,
  };
  const to = Object.hasOwn(moves, key) ? moves[key] : undefined;
  if (to === undefined || count === 0) return null;
  return Math.max(0, Math.min(count - 1, to));
}
