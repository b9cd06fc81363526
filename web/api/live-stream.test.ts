// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeServer } from './fake-line';
import { HELLO_MS, LiveStream, OVERDUE_MS, SILENCE_MS } from './live-stream';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const server = fakeServer();
  const handlers = { event: vi.fn(), lost: vi.fn() };
  const stream = new LiveStream(handlers, server.ports);
  return { server, handlers, stream };
}

test('asks for what is followed, from the cursor', async () => {
  const { server, stream } = setUp();
  await stream.follow(['ticker:*', 'candle.1s:KRW-BTC'], []);
  stream.open('e1:5');
  expect(server.line.query.getAll('sub')).toEqual(['ticker:*', 'candle.1s:KRW-BTC']);
  expect(server.line.query.get('since')).toBe('e1:5');
});

test('a loss is followed by a new line from the last id, with what is followed now', async () => {
  const { server, handlers, stream } = setUp();
  await stream.follow(['candle.1s:KRW-BTC'], []);
  stream.open('e1:5');
  server.line.say('hello', { id: 's1' });
  server.line.say('ticker', {}, 'e1:9');
  await stream.follow(['candle.1m:KRW-ETH'], ['candle.1s:KRW-BTC']);
  const first = server.line;
  first.fail();
  expect(first.closed).toBe(true);
  expect(handlers.lost).toHaveBeenCalledWith(1);
  vi.advanceTimersByTime(1000);
  expect(server.lines).toHaveLength(2);
  expect(server.line.query.getAll('sub')).toEqual(['candle.1m:KRW-ETH']);
  expect(server.line.query.get('since')).toBe('e1:9');
});

test('tries again for as long as it takes, ever more slowly, and starts afresh after success', () => {
  const { server, handlers, stream } = setUp();
  stream.open(null);
  for (let tries = 1; tries <= 20; tries += 1) {
    server.line.fail();
    expect(handlers.lost).toHaveBeenLastCalledWith(tries);
    vi.advanceTimersByTime(8_000);
    expect(server.lines).toHaveLength(tries + 1);
  }
  server.line.say('hello', { id: 's2' });
  server.line.fail();
  expect(handlers.lost).toHaveBeenLastCalledWith(1);
});

test('changes by POST once it has an id', async () => {
  const { server, stream } = setUp();
  stream.open(null);
  server.line.say('hello', { id: 's1' });
  await stream.follow(['candle.1m:KRW-ETH'], ['candle.1s:KRW-BTC']);
  expect(server.changes).toEqual([
    { id: 's1', add: ['candle.1m:KRW-ETH'], remove: ['candle.1s:KRW-BTC'] },
  ]);
  expect(server.lines).toHaveLength(1);
});

test('a change between connect and hello waits for the id, and is not lost', async () => {
  const { server, stream } = setUp();
  stream.open(null);
  const following = stream.follow(['candle.1m:KRW-ETH'], []);
  expect(server.changes).toHaveLength(0);
  server.line.say('hello', { id: 's7' });
  await following;
  expect(server.changes).toEqual([{ id: 's7', add: ['candle.1m:KRW-ETH'], remove: [] }]);
});

test('a change whose connection fails before hello is asked for by the next', async () => {
  const { server, stream } = setUp();
  stream.open(null);
  const following = stream.follow(['candle.1m:KRW-ETH'], []);
  server.line.fail();
  await following;
  vi.advanceTimersByTime(1000);
  expect(server.line.query.getAll('sub')).toEqual(['candle.1m:KRW-ETH']);
});

test('a refused POST means connecting again', async () => {
  const { server, stream } = setUp();
  stream.open(null);
  server.line.say('hello', { id: 's1' }, 'e1:3');
  server.accept = false;
  await stream.follow(['candle.1m:KRW-ETH'], []);
  expect(server.lines).toHaveLength(2);
  expect(server.line.query.getAll('sub')).toEqual(['candle.1m:KRW-ETH']);
  expect(server.line.query.get('since')).toBe('e1:3');
});

test('silence where something was heard every second is a dead line', () => {
  const { server, handlers, stream } = setUp();
  stream.open(null);
  server.line.say('hello', { id: 's1' });
  for (let second = 0; second < 30; second += 1) {
    vi.advanceTimersByTime(1000);
    server.line.say('status', {}, `e1:${String(second)}`);
  }
  vi.advanceTimersByTime(OVERDUE_MS - 2000);
  expect(server.lines).toHaveLength(1);
  vi.advanceTimersByTime(4000);
  expect(server.lines).toHaveLength(2);
  expect(server.line.query.get('since')).toBe('e1:29');
  expect(handlers.lost).not.toHaveBeenCalled();
  vi.advanceTimersByTime(HELLO_MS + 1000);
  expect(handlers.lost).toHaveBeenLastCalledWith(1);
});

test('a quiet market is not taken for a dead line a second time', () => {
  const { server, handlers, stream } = setUp();
  stream.open(null);
  server.line.say('hello', { id: 's1' });
  vi.advanceTimersByTime(OVERDUE_MS + 2000);
  expect(server.lines).toHaveLength(2);
  server.line.say('hello', { id: 's2' });
  vi.advanceTimersByTime(SILENCE_MS - 2000);
  server.line.say('status', {});
  vi.advanceTimersByTime(SILENCE_MS - 2000);
  expect(server.lines).toHaveLength(2);
  vi.advanceTimersByTime(4000);
  expect(server.lines).toHaveLength(3);
  expect(handlers.lost).not.toHaveBeenCalled();
});

test('a line that never says hello is lost, each time after a longer wait', () => {
  const { server, handlers, stream } = setUp();
  stream.open(null);
  vi.advanceTimersByTime(HELLO_MS - 1000);
  expect(handlers.lost).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2000);
  expect(handlers.lost).toHaveBeenLastCalledWith(1);
  vi.advanceTimersByTime(HELLO_MS * 2 - 1000);
  expect(server.lines).toHaveLength(2);
  expect(handlers.lost).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(3000);
  expect(handlers.lost).toHaveBeenLastCalledWith(2);
});

test('after a sleep the line is opened anew at once', () => {
  const { server, stream } = setUp();
  stream.open(null);
  server.line.say('hello', { id: 's1' }, 'e1:4');
  vi.setSystemTime(Date.now() + 600_000);
  vi.advanceTimersByTime(2500);
  expect(server.lines).toHaveLength(2);
  expect(server.line.query.get('since')).toBe('e1:4');
});

test('waking does not wait for the timer, and leaves a lively line alone', () => {
  const { server, stream } = setUp();
  stream.open(null);
  server.line.say('hello', { id: 's1' });
  stream.wake();
  expect(server.lines).toHaveLength(1);
  server.line.fail();
  stream.wake();
  expect(server.lines).toHaveLength(2);
  vi.advanceTimersByTime(8_000);
  expect(server.lines).toHaveLength(2);
});

test('what an abandoned line still says is not heard', () => {
  const { server, handlers, stream } = setUp();
  stream.open(null);
  const old = server.line;
  old.fail();
  vi.advanceTimersByTime(1000);
  handlers.event.mockClear();
  old.say('ticker', {}, 'e1:99');
  old.fail();
  expect(handlers.event).not.toHaveBeenCalled();
  expect(handlers.lost).toHaveBeenCalledTimes(1);
});
