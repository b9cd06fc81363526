// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Frame, paced } from './frame';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('paced: the first comes at once, the next not before its time, and none is lost', () => {
  const frame = new Frame(paced(100, (run) => void setTimeout(run, 16)));
  const shown: number[] = [];
  const began = performance.now();
  const work = () => void shown.push(performance.now() - began);
  frame.request(work);
  vi.advanceTimersByTime(16);
  expect(shown).toEqual([16]);
  for (let turn = 0; turn < 30; turn += 1) {
    frame.request(work);
    vi.advanceTimersByTime(10);
  }
  vi.advanceTimersByTime(200);
  expect(shown).toHaveLength(4);
  shown.slice(1).forEach((time, at) => expect(time - (shown[at] ?? 0)).toBeGreaterThanOrEqual(100));
  frame.request(work);
  vi.advanceTimersByTime(16);
  expect(shown).toHaveLength(5);
});
