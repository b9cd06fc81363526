// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ahead, Calm, Frame } from './frame';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const FRAME_MS = 16;

function world() {
  const began = performance.now();
  const shown: number[] = [];
  const work = () => void shown.push(performance.now() - began);
  const frame = new Frame(ahead(() => false));
  return { shown, work, frame };
}

test('ahead: the first at once, the next with the next frame, one a frame', () => {
  const { shown, work, frame } = world();
  frame.request(work);
  vi.advanceTimersByTime(1);
  expect(shown).toEqual([0]);
  for (let turn = 0; turn < 63; turn += 1) {
    frame.request(work);
    vi.advanceTimersByTime(1);
  }
  vi.advanceTimersByTime(FRAME_MS);
  expect(shown.length).toBeGreaterThanOrEqual(4);
  shown.slice(2).forEach((time, at) => {
    expect(time - (shown[at + 1] ?? 0)).toBeGreaterThanOrEqual(FRAME_MS);
  });
  vi.advanceTimersByTime(100);
  const { length } = shown;
  frame.request(work);
  vi.advanceTimersByTime(1);
  expect(shown).toHaveLength(length + 1);
});

test('calm: the first comes at once, the next not before its time, and none is lost', () => {
  const { shown, work, frame } = world();
  const calm = new Calm(frame, 100);
  calm.request(work);
  vi.advanceTimersByTime(2);
  expect(shown).toHaveLength(1);
  for (let turn = 0; turn < 30; turn += 1) {
    calm.request(work);
    vi.advanceTimersByTime(10);
  }
  vi.advanceTimersByTime(200);
  expect(shown).toHaveLength(4);
  shown.slice(1).forEach((time, at) => expect(time - (shown[at] ?? 0)).toBeGreaterThanOrEqual(100));
  calm.request(work);
  vi.advanceTimersByTime(FRAME_MS);
  expect(shown).toHaveLength(5);
});

test('calm: once due, it goes with other work, or alone when there is none in time', () => {
  const { shown, work, frame } = world();
  const calm = new Calm(frame, 100, 50);
  const other = vi.fn();
  calm.request(work);
  vi.advanceTimersByTime(10);
  calm.request(work);
  vi.advanceTimersByTime(60);
  frame.request(other);
  vi.advanceTimersByTime(20);
  expect(shown).toHaveLength(1);
  vi.advanceTimersByTime(30);
  frame.request(other);
  vi.advanceTimersByTime(1);
  expect(shown).toHaveLength(2);
  calm.request(work);
  vi.advanceTimersByTime(149);
  expect(shown).toHaveLength(2);
  vi.advanceTimersByTime(2);
  expect(shown).toHaveLength(3);
});

test('calm: what leads goes with the next frame, and takes along all that waits', () => {
  const { shown, work, frame } = world();
  const calm = new Calm(frame, 400, 50);
  const price = vi.fn();
  calm.request(work);
  vi.advanceTimersByTime(100);
  calm.request(work);
  vi.advanceTimersByTime(100);
  expect(shown).toHaveLength(1);
  calm.lead.request(price);
  vi.advanceTimersByTime(1);
  expect(price).toHaveBeenCalledOnce();
  expect(shown).toHaveLength(2);
  vi.advanceTimersByTime(1000);
  expect(shown).toHaveLength(2);
});
