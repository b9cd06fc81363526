// SPDX-License-Identifier: Apache-2.0
// Exact decimal text, without a number in between.

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Plain form of a JSON number ("0E-8" → "0.00000000"), or null if it is none. */
export function plainDecimal(text: string): string | null {
  const match = DECIMAL.exec(text);
  if (!match) return null;
  const [, sign = '', whole = '', fraction = '', exponent] = match;
  if (exponent === undefined) return text;
  const shift = Number(exponent);
  if (Math.abs(shift) > 64) return null;
  const digits = whole + fraction;
  const point = whole.length + shift;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  const head = digits
    .slice(0, point)
    .padEnd(point, '0')
    .replace(/^0+(?=\d)/, '');
  const tail = digits.slice(point);
  return sign + head + (tail ? `.${tail}` : '');
}

function split(text: string): { negative: boolean; whole: string; fraction: string } {
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = (negative ? text.slice(1) : text).split('.');
  return { negative, whole: whole.replace(/^0+/, ''), fraction: fraction.replace(/0+$/, '') };
}

function compareMagnitude(a: ReturnType<typeof split>, b: ReturnType<typeof split>): number {
  if (a.whole.length !== b.whole.length) return a.whole.length - b.whole.length;
  if (a.whole !== b.whole) return a.whole < b.whole ? -1 : 1;
  if (a.fraction === b.fraction) return 0;
  return a.fraction < b.fraction ? -1 : 1;
}

/** Negative, zero or positive, as Array.sort wants it. "1.50" equals "1.5". */
export function compareDecimal(left: string, right: string): number {
  if (left === right) return 0;
  const a = split(left);
  const b = split(right);
  const order = compareMagnitude(a, b);
  const zero = !a.whole && !a.fraction && !b.whole && !b.fraction;
  if (zero) return 0;
  if (a.negative !== b.negative) return a.negative ? -1 : 1;
  return a.negative ? -order : order;
}

/** -1, 0 or 1. */
export function signOf(text: string): -1 | 0 | 1 {
  const order = compareDecimal(text, '0');
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}
