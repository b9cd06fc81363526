// SPDX-License-Identifier: Apache-2.0
import type { IChartApi, LogicalRange } from 'lightweight-charts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { candle } from '../api/fixture';
import { barsOf, type Bar } from './bars';
import type { MainSeries } from './main-series';
import { NEWEST } from './place';
import { BAR_SPACING } from './theme';
import { ViewKeeper } from './view-keeper';

const RIGHT_OFFSET = 5;

/** As the library's: it moves at its next frame, and counts from the newest bar meanwhile. */
class LazyScale {
  /** Distance of the right edge from the newest bar, and bars in view. */
  offset = RIGHT_OFFSET;
  wide = 100;
  private wanted: (() => void) | null = null;

  constructor(private readonly main: { bars: readonly Bar[] }) {}

  options = () => ({ rightOffset: RIGHT_OFFSET, barSpacing: BAR_SPACING });
  width = () => 600;
  private tell: (range: LogicalRange) => void = () => undefined;
  subscribeVisibleLogicalRangeChange = (tell: (range: LogicalRange) => void): void => {
    this.tell = tell;
  };

  getVisibleLogicalRange = (): LogicalRange => {
    const to = this.main.bars.length - 1 + this.offset;
    return { from: to - this.wide, to } as LogicalRange;
  };

  changed(): void {
    this.tell(this.getVisibleLogicalRange());
  }

  setVisibleLogicalRange = ({ from, to }: LogicalRange): void => {
    this.wanted = () => {
      this.offset = to - (this.main.bars.length - 1);
      this.wide = to - from;
    };
  };

  scrollToPosition = (offset: number): void => {
    this.wanted = () => void (this.offset = offset);
  };

  draw(): void {
    this.wanted?.();
    this.wanted = null;
  }
}

let frames = new Map<number, () => void>();
beforeEach(() => {
  frames = new Map();
  let asked = 0;
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => {
    frames.set(++asked, run);
    return asked;
  });
  vi.stubGlobal('cancelAnimationFrame', (id: number) => frames.delete(id));
});
afterEach(() => vi.unstubAllGlobals());

function setUp() {
  const main = { bars: [] as readonly Bar[] };
  const scale = new LazyScale(main);
  const chart = { timeScale: () => scale } as unknown as IChartApi;
  const events = { nearLeft: vi.fn(), nearRight: vi.fn(), edges: vi.fn(), view: vi.fn() };
  const view = new ViewKeeper(chart, main as unknown as MainSeries, events, NEWEST);
  /** Holds the bars that begin from `from` until before `to`, as a chart that draws anew does. */
  const draw = (from: number, to: number): void => {
    const set = (): void => {
      main.bars = barsOf(Array.from({ length: to - from }, (_, at) => candle(from + at)));
      scale.changed();
    };
    view.exchange(set, main.bars.length > 0);
    scale.changed();
  };
  const frame = (): void => {
    scale.draw();
    scale.changed();
    const due = [...frames.values()];
    frames.clear();
    for (const run of due) run();
  };
  /** Starts of the bars at both edges. */
  const seen = () => {
    const { from, to } = scale.getVisibleLogicalRange();
    return [main.bars[from]?.start, main.bars[to]?.start];
  };
  return { view, scale, events, draw, frame, seen };
}

test('two pages between two frames leave in sight what was there', () => {
  const { view, draw, frame, seen } = setUp();
  draw(5000, 10_000);
  view.show({ from: 1000, to: 1100 });
  frame();
  expect(seen()).toEqual([6000, 6100]);
  draw(4000, 9000);
  draw(3000, 8000);
  frame();
  expect(seen()).toEqual([6000, 6100]);
});

test('a page right after a step is drawn where the step leads', () => {
  const { view, draw, frame, seen } = setUp();
  draw(5000, 10_000);
  view.show({ from: 1000, to: 1100 });
  draw(4000, 9000);
  frame();
  expect(seen()).toEqual([6000, 6100]);
});

test('a page does not hold back who goes to the newest', () => {
  const { view, draw, frame, seen } = setUp();
  draw(5000, 10_000);
  view.show({ from: 1000, to: 1100 });
  frame();
  view.toNewest();
  draw(4000, 10_000);
  frame();
  expect(view.range?.to).toBe(5999 + RIGHT_OFFSET);
  expect(seen()).toEqual([9904, undefined]);
});

test('once it is drawn the library is believed again', () => {
  const { view, scale, draw, frame } = setUp();
  draw(5000, 10_000);
  view.show({ from: 1000, to: 1100 });
  expect(view.range).toEqual({ from: 1000, to: 1100 });
  frame();
  scale.offset -= 50; // as a drag does
  expect(view.range).toEqual({ from: 950, to: 1050 });
});

test('where the library is before it moves is told to nobody', () => {
  const { view, events, draw, frame } = setUp();
  draw(5000, 10_000);
  view.show({ from: 1000, to: 1100 });
  frame();
  events.view.mockClear();
  draw(4000, 9000);
  expect(events.view).not.toHaveBeenCalled();
  frame();
  expect(events.view).toHaveBeenCalledWith({ at: 6100, bars: null });
  expect(events.view).toHaveBeenCalledTimes(1);
});
