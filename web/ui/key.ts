// SPDX-License-Identifier: Apache-2.0

/** What was pressed; where the keyboard writes Hangul, the letter that is on the key. */
export function keyOf({ key, code }: Pick<KeyboardEvent, 'key' | 'code'>): string {
  const hangul = /^[\u3131-\u318e]$/.test(key) || key === 'Process';
  return hangul && code.startsWith('Key') ? code.slice(3).toLowerCase() : key;
}
