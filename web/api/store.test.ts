// SPDX-License-Identifier: Apache-2.0
import { expect, test, vi } from 'vitest';
import { Frame } from './frame';
import { KeyedStore, ValueStore } from './store';

function handFrame(): { frame: Frame; next: () => void; asked: () => number } {
  const due: (() => void)[] = [];
  const frame = new Frame((run) => void due.push(run));
  return { frame, next: () => due.splice(0).forEach((run) => run()), asked: () => due.length };
}

test('many sets between two frames are one publication of the last', () => {
  const { frame, next, asked } = handFrame();
  const store = new ValueStore(frame, 0);
  const listener = vi.fn();
  const stop = store.subscribe(listener);
  store.set(1);
  store.set(2);
  expect(store.get()).toBe(0);
  expect(store.latest).toBe(2);
  expect(asked()).toBe(1);
  next();
  expect(store.get()).toBe(2);
  expect(listener).toHaveBeenCalledTimes(1);
  store.set(2);
  expect(asked()).toBe(0);
  stop();
  store.set(3);
  next();
  expect(listener).toHaveBeenCalledTimes(1);
});

test('a key is told of its own changes only', () => {
  const { frame, next } = handFrame();
  const store = new KeyedStore<number>(frame);
  const a = vi.fn();
  const b = vi.fn();
  store.subscribe('a', a);
  store.subscribe('b', b);
  store.set('a', 1);
  store.set('a', 2);
  next();
  expect(store.get('a')).toBe(2);
  expect([a.mock.calls.length, b.mock.calls.length]).toEqual([1, 0]);
});
