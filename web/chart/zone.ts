// SPDX-License-Identifier: Apache-2.0
// Time zones: the library knows UTC only, so times are shifted before it sees them.

export const ZONES = ['kst', 'utc', 'local'] as const;
export type Zone = (typeof ZONES)[number];

/** Korea has kept +9 h without summer time since 1988. */
const KST_SECONDS = 9 * 3600;

/** Seconds that a zone's clock is ahead of UTC at `time` (seconds, UTC). */
export function zoneOffset(zone: Zone, time: number): number {
  if (zone === 'kst') return KST_SECONDS;
  if (zone === 'utc') return 0;
  return -60 * new Date(time * 1000).getTimezoneOffset() || 0;
}

/** Seconds UTC of what a zone's clock shows ("2026-11-22T14:41", or a day); null if nonsense. */
export function zoneTime(zone: Zone, text: string): number | null {
  const shown = Date.parse(text.includes('T') ? `${text}Z` : `${text}T00:00Z`) / 1000;
  if (Number.isNaN(shown)) return null;
  const near = shown - zoneOffset(zone, shown);
  return shown - zoneOffset(zone, near);
}

/** "KST", "UTC", "UTC+5:30". */
export function zoneName(zone: Zone, time: number): string {
  if (zone !== 'local') return zone.toUpperCase();
  const minutes = zoneOffset(zone, time) / 60;
  if (minutes === 0) return 'UTC';
  const size = Math.abs(minutes);
  const rest = size % 60 ? `:${String(size % 60).padStart(2, '0')}` : '';
  return `UTC${minutes < 0 ? '-' : '+'}${String(Math.floor(size / 60))}${rest}`;
}

/** Days, weeks and months are windows of UTC days; they carry the same name in every zone. */
export function isIntraday(interval: string): boolean {
  return !/[dwM]$/.test(interval);
}

/**
 * What is added to all times of a chart. One amount for the whole axis, so that it stays ascending
 * and can be undone: where a local zone changes to summer time within the loaded bars, the axis
 * keeps the newest bar's clock; the text under the pointer is right everywhere.
 */
export function axisShift(zone: Zone, interval: string, newest: number): number {
  return isIntraday(interval) ? zoneOffset(zone, newest) : 0;
}
