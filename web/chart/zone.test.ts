// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { timeText } from './time-text';
import { axisShift, zoneName, zoneOffset, zoneTime } from './zone';

const WINTER = Date.UTC(2026, 0, 15, 20) / 1000;
const SUMMER = Date.UTC(2026, 6, 15, 20) / 1000;

beforeEach(() => void vi.stubEnv('TZ', 'America/New_York'));
afterEach(() => void vi.unstubAllEnvs());

test('Korea is nine hours ahead; the reader’s own zone has its summer time', () => {
  expect(zoneOffset('kst', WINTER)).toBe(9 * 3600);
  expect(zoneOffset('utc', SUMMER)).toBe(0);
  expect(zoneOffset('local', WINTER)).toBe(-5 * 3600);
  expect(zoneOffset('local', SUMMER)).toBe(-4 * 3600);
  expect(zoneName('local', SUMMER)).toBe('UTC-4');
  vi.stubEnv('TZ', 'Asia/Kolkata');
  expect(zoneName('local', SUMMER)).toBe('UTC+5:30');
  expect(zoneName('kst', SUMMER)).toBe('KST');
});

test('the text of a bar is its zone’s; days keep their name in every zone', () => {
  expect(timeText('1m', WINTER, 'kst')).toBe('2026-01-16 05:00');
  expect(timeText('1m', WINTER, 'utc')).toBe('2026-01-15 20:00');
  expect(timeText('1s', WINTER, 'local')).toBe('2026-01-15 15:00:00');
  const day = Date.UTC(2026, 6, 1) / 1000;
  expect(timeText('1d', day, 'local')).toBe('2026-07-01');
  expect(timeText('1M', day, 'local')).toBe('2026-07');
  expect(axisShift('local', '1d', day)).toBe(0);
  expect(axisShift('kst', '4h', day)).toBe(9 * 3600);
});

test('what a clock shows becomes a time', () => {
  expect(zoneTime('kst', '2026-01-16T05:00')).toBe(WINTER);
  expect(zoneTime('local', '2026-07-15T16:00')).toBe(SUMMER);
  expect(zoneTime('utc', '2026-07-15')).toBe(Date.UTC(2026, 6, 15) / 1000);
  expect(zoneTime('utc', '')).toBeNull();
});
