// SPDX-License-Identifier: Apache-2.0
// Exact differences of decimal text.
import type { Decimal } from '../api/types';

const RATE_PLACES = 10;

function digitsOf(text: Decimal, places: number): bigint {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const digits = BigInt(whole + fraction.padEnd(places, '0'));
  return text.startsWith('-') ? -digits : digits;
}

function placesOf(text: Decimal): number {
  return text.split('.')[1]?.length ?? 0;
}

function textOf(value: bigint, places: number): Decimal {
  const digits = (value < 0n ? -value : value).toString().padStart(places + 1, '0');
  const fraction = places > 0 ? `.${digits.slice(-places)}` : '';
  return (value < 0n ? '-' : '') + digits.slice(0, digits.length - places) + fraction;
}

export interface Difference {
  readonly change: Decimal;
  /** Of `before`, as "0.0125000000"; null when that is nothing. */
  readonly rate: Decimal | null;
}

export function difference(now: Decimal, before: Decimal): Difference {
  const places = Math.max(placesOf(now), placesOf(before));
  const base = digitsOf(before, places);
  const change = digitsOf(now, places) - base;
  const rate = base === 0n ? null : (change * 10n ** BigInt(RATE_PLACES)) / base;
  return { change: textOf(change, places), rate: rate === null ? null : textOf(rate, RATE_PLACES) };
}
