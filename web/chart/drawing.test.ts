// SPDX-License-Identifier: Apache-2.0
import { beforeEach, expect, test, vi } from 'vitest';
import type { Bar } from './bars';
import { indexOfTime, timeOfIndex } from './axis-time';
import { readDrawings, writeDrawings, type Drawing } from './drawing';
import { distance, handleAt, shapeOf, touches } from './drawing-shape';
import { DrawingStore } from './drawing-store';

const line = (id: string, change: Partial<Drawing> = {}): Drawing => ({
  id,
  kind: 'trend',
  anchors: [
    { time: 60, price: 10 },
    { time: 120, price: 20 },
  ],
  colour: 1,
  text: '',
  ...change,
});

const heap = new Map<string, string>();
beforeEach(() => {
  heap.clear();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => heap.get(key) ?? null,
    setItem: (key: string, text: string) => void heap.set(key, text),
  });
});

test('what was kept comes back; what makes no sense does not', () => {
  const note = line('n', { kind: 'note', anchors: [{ time: 1.5, price: 0.0001 }], text: '돌파' });
  expect(readDrawings(writeDrawings([line('a'), note]))).toEqual([line('a'), note]);
  for (const text of [null, '', '{', '7', '{"a":1}', '[null,3,{}]']) {
    expect(readDrawings(text)).toEqual([]);
  }
  const bad = [
    { ...line('b'), kind: 'spiral' },
    { ...line('c'), anchors: [{ time: 1, price: 'x' }] },
    { ...line('d'), id: 4 },
    line('e', { anchors: [{ time: 1, price: 2 }] }),
  ];
  expect(readDrawings(JSON.stringify(bad))).toEqual([]);
  const odd = { ...line('f'), colour: 99, text: 7 };
  expect(readDrawings(JSON.stringify([odd, line('f')]))).toEqual([line('f')]);
});

test('each market has its own; steps are taken back and forth', () => {
  const store = new DrawingStore();
  const heard = vi.fn();
  store.subscribe('KRW-BTC', heard);
  store.put('KRW-BTC', line('a'));
  store.put('KRW-BTC', line('b'));
  store.put('KRW-BTC', line('a', { colour: 3 }));
  store.put('KRW-ETH', line('c'));
  expect(heard).toHaveBeenCalledTimes(3);
  store.undo('KRW-BTC');
  expect(store.get('KRW-BTC')).toEqual([line('a'), line('b')]);
  store.redo('KRW-BTC');
  store.remove('KRW-BTC', 'b');
  expect(store.get('KRW-BTC')).toEqual([line('a', { colour: 3 })]);
  store.remove('KRW-BTC', 'nothing');
  store.undo('KRW-BTC');
  store.put('KRW-BTC', line('d'));
  store.redo('KRW-BTC'); // a new step has no future
  expect(store.get('KRW-BTC').map(({ id }) => id)).toEqual(['a', 'b', 'd']);
  expect(new DrawingStore().get('KRW-BTC')).toEqual(store.get('KRW-BTC'));
});

test('a market holds so many and no more', () => {
  const store = new DrawingStore();
  for (let n = 0; n < 200; n += 1) expect(store.put('KRW-BTC', line(String(n)))).toBe(true);
  expect(store.put('KRW-BTC', line('more'))).toBe(false);
  expect(store.put('KRW-BTC', line('7', { colour: 0 }))).toBe(true);
});

const bars = [60, 120, 240, 300].map((start) => ({ start }) as Bar);

test.each([
  [60, 0],
  [90, 0.5],
  [180, 1.5],
  [300, 3],
  [420, 5],
  [0, -1],
])('second %d lies at bar %d, on either side of the bars too', (time, index) => {
  expect(indexOfTime(time, bars, '1m')).toBe(index);
});

test.each([
  [0.4, 60],
  [1.6, 240],
  [3.2, 300],
  [5, 420],
  [-1, 0],
])('bar %d is of second %d', (index, time) => {
  expect(timeOfIndex(index, bars, '1m')).toBe(time);
});

test('without bars there is no place', () => {
  expect(indexOfTime(60, [], '1m')).toBeNull();
  expect(timeOfIndex(0, [], '1m')).toBeNull();
});

const size = { width: 200, height: 100 };
const nowhere = () => 0;

test('a ray ends at the pane’s edge, a level crosses it, a box has four sides', () => {
  const points = [
    { x: 50, y: 50 },
    { x: 100, y: 40 },
  ];
  const [ray] = shapeOf('ray', points, size, nowhere).segments;
  expect(ray?.to).toEqual({ x: 200, y: 20 });
  const [up] = shapeOf('ray', [points[0], { x: 50, y: 40 }] as never, size, nowhere).segments;
  expect(up?.to).toEqual({ x: 50, y: 0 });
  const [level] = shapeOf('level', points, size, nowhere).segments;
  expect([level?.from.x, level?.to.x, level?.to.y]).toEqual([0, 200, 50]);
  expect(shapeOf('box', points, size, nowhere).segments).toHaveLength(4);
});

test('Fibonacci’s levels lie where their prices do', () => {
  const points = [
    { x: 10, y: 100 },
    { x: 60, y: 0 },
  ];
  const { segments } = shapeOf('fib', points, size, (level) => level * 100);
  expect(segments.filter(({ level }) => level !== undefined)).toHaveLength(7);
  expect(segments[1]?.from).toEqual({ x: 10, y: 23.599999999999998 });
  expect(segments.at(-1)).toMatchObject({ faint: true });
});

test('what a pointer touches', () => {
  const segment = { from: { x: 0, y: 0 }, to: { x: 10, y: 0 } };
  expect(distance({ x: 5, y: 3 }, segment)).toBe(3);
  expect(distance({ x: 14, y: 3 }, segment)).toBe(5);
  expect(distance({ x: 3, y: 4 }, { from: segment.from, to: segment.from })).toBe(5);
  const shape = { segments: [segment], area: null };
  expect(touches({ x: 5, y: 5 }, shape, 6)).toBe(true);
  expect(touches({ x: 5, y: 7 }, shape, 6)).toBe(false);
  const points = [
    { x: 0, y: 0 },
    { x: 8, y: 0 },
  ];
  expect(handleAt({ x: 5, y: 0 }, points, 9)).toBe(1);
  expect(handleAt({ x: 30, y: 0 }, points, 9)).toBeNull();
});
