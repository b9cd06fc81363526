// SPDX-License-Identifier: Apache-2.0
// Decimal text → text for people. Exact: BigInt inside, never a double.
import type { Language } from './text';

interface Scaled {
  readonly negative: boolean;
  /** value × 10^places */
  readonly digits: bigint;
  readonly places: number;
}

function scale(text: string): Scaled {
  const negative = text.startsWith('-');
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  return { negative, digits: BigInt(whole + fraction), places: fraction.length };
}

/** Half away from zero. */
function rescale(value: Scaled, places: number): bigint {
  if (places >= value.places) return value.digits * 10n ** BigInt(places - value.places);
  const step = 10n ** BigInt(value.places - places);
  return (value.digits + step / 2n) / step;
}

function group(whole: string): string {
  return whole.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Rounds to `places` decimals and groups thousands: "1234.565", 2 → "1,234.57". */
export function fixed(text: string, places: number): string {
  const value = scale(text);
  const digits = rescale(value, places)
    .toString()
    .padStart(places + 1, '0');
  const whole = group(digits.slice(0, digits.length - places));
  const sign = value.negative && /[1-9]/.test(digits) ? '-' : '';
  return sign + whole + (places > 0 ? `.${digits.slice(-places)}` : '');
}

/** How many decimals matter: "0.01000000" → 2, "1000" → 0. */
export function decimalsOf(text: string): number {
  const fraction = text.split('.')[1] ?? '';
  return fraction.replace(/0+$/, '').length;
}

/** Decimals a market's prices are shown with: its tick's, or more when the price has more. */
export function pricePlaces(tick: string | null, price: string): number {
  return Math.max(tick === null ? 0 : decimalsOf(tick), decimalsOf(price));
}

export function formatPrice(price: string, tick: string | null): string {
  return fixed(price, pricePlaces(tick, price));
}

/** Volumes of cheap coins run into trillions: those get a unit. */
const LONG_VOLUME = 8;

/** As many decimals as the size of the number is worth; the tiny stay exact. */
export function formatVolume(volume: string, language: Language): string {
  const whole = (volume.split('.')[0] ?? '').replace(/^0+/, '').length;
  if (whole >= LONG_VOLUME) return formatAmount(volume, language);
  if (whole >= 4) return fixed(volume, 0);
  if (whole >= 1) return fixed(volume, 3);
  return fixed(volume, Math.min(8, decimalsOf(volume)));
}

/** "0.0101840000" → "+1.02%". */
export function formatRate(rate: string): string {
  const { negative, digits, places } = scale(rate);
  const hundredths = rescale({ negative, digits: digits * 100n, places }, 2);
  const text = hundredths.toString().padStart(3, '0');
  const sign = hundredths === 0n ? '' : negative ? '-' : '+';
  return `${sign}${group(text.slice(0, -2))}.${text.slice(-2)}%`;
}

export function signed(text: string, sign: -1 | 0 | 1): string {
  return sign > 0 ? `+${text}` : text;
}

type Unit = readonly [zeros: number, suffix: string];

const UNITS: Record<Language, readonly Unit[]> = {
  ko: [
    [12, '조'],
    [8, '억'],
    [4, '만'],
  ],
  en: [
    [12, 'T'],
    [9, 'B'],
    [6, 'M'],
    [3, 'K'],
  ],
};

/** Three figures or more and a unit: "162997300132.123" → "1,630억", "163B". */
export function formatAmount(amount: string, language: Language): string {
  const { negative, digits, places } = scale(amount);
  const whole = (digits / 10n ** BigInt(places)).toString();
  const unit = UNITS[language].find(([zeros]) => whole.length > zeros);
  if (!unit) return fixed(amount, whole.length >= 3 ? 0 : Math.min(2, decimalsOf(amount)));
  const [zeros, suffix] = unit;
  const head = whole.length - zeros;
  const shown = rescale({ negative, digits, places: places + zeros }, head >= 3 ? 0 : 3 - head);
  const text = shown.toString();
  const decimals = head >= 3 ? 0 : 3 - head;
  const plain = decimals ? `${text.slice(0, -decimals)}.${text.slice(-decimals)}` : text;
  return (negative ? '-' : '') + fixed(plain, decimals) + suffix;
}

/** "KRW-BTC" → "BTC/KRW", as people write pairs. */
export function pairOf(code: string): string {
  const [quote, base] = code.split('-');
  return base ? `${base}/${quote ?? ''}` : code;
}

export function baseOf(code: string): string {
  return code.split('-')[1] ?? code;
}

/** A scale's label: a unit for what is large, no idle zeros for what is not. */
export function formatScale(value: string, language: Language): string {
  const whole = (value.split('.')[0] ?? '').length;
  if (whole > 4) return formatAmount(value, language).replace(/\.0+(?=\D)/, '');
  return fixed(value, Math.min(decimalsOf(value), 8));
}
