// SPDX-License-Identifier: Apache-2.0
// Reading the members of what came over the wire, by the names that the description knows.
import { plainDecimal } from './decimal';
import type { Decimal } from './types';

/** What claims to be a T: its members have T's names, and nothing else of it is believed yet. */
export type Claimed<T> = { readonly [K in keyof T]?: unknown };

/** Names of T's members that the wire writes as V. Numbers come as text, see parseExact. */
type Names<T, V> = keyof { [K in keyof T as NonNullable<T[K]> extends V ? K : never]: T[K] };

export class Malformed extends Error {}

export function guard<W, T>(value: unknown, read: (fields: Claimed<W>) => T): T | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  try {
    return read(value as Claimed<W>);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

export function text<W>(fields: Claimed<W>, name: Names<W, string>): string {
  const value: unknown = fields[name];
  if (typeof value !== 'string') throw new Malformed(String(name));
  return value;
}

export function decimal<W>(fields: Claimed<W>, name: Names<W, number>): Decimal {
  const value: unknown = fields[name];
  const plain = typeof value === 'string' ? plainDecimal(value) : null;
  if (plain === null) throw new Malformed(String(name));
  return plain;
}

export function decimalOr<W, T>(
  fields: Claimed<W>,
  name: Names<W, number>,
  otherwise: T,
): Decimal | T {
  const value: unknown = fields[name];
  return typeof value === 'string' ? (plainDecimal(value) ?? otherwise) : otherwise;
}

export function count<W>(fields: Claimed<W>, name: Names<W, number>): number {
  const value: unknown = fields[name];
  const whole = typeof value === 'string' ? Number(value) : NaN;
  if (!Number.isSafeInteger(whole)) throw new Malformed(String(name));
  return whole;
}

export function textOr<W>(fields: Claimed<W>, name: Names<W, string>, otherwise: string): string {
  const value: unknown = fields[name];
  return typeof value === 'string' ? value : otherwise;
}

export function isOneOf<T extends string>(all: Record<T, true>, value: unknown): value is T {
  return typeof value === 'string' && Object.hasOwn(all, value);
}

export function instant(value: unknown): number | null {
  if (typeof value !== 'string') return null;
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : time;
}
