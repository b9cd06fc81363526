// SPDX-License-Identifier: Apache-2.0
// Older and newer pages as the reader scrolls, and spans fetched again after a gap was healed.
import { windowAfter, windowStart } from '../api/interval';
import { RestError } from '../api/rest';
import type { Candle, CandlePage } from '../api/types';
import type { ChartFeed } from './chart-feed';

/** Bars loaded at most: the library redraws all of them at every tick. */
export const CAPACITY = 5000;
/** Bars asked for at once. */
export const PAGE = 1000;
/** A healed span is followed back this many pages; older pages are fetched fresh when scrolled to. */
const REFETCH_PAGES = 5;
const PAUSE_MS = 2000;
/** Candles asked for beyond a healed span. */
const SPARE = 20;

/** Starts of the first and the last. */
function ends(candles: readonly Candle[]): [number, number] {
  return [candles[0]?.start ?? Infinity, candles[candles.length - 1]?.start ?? -Infinity];
}

export class Pager {
  private busy = false;
  private pausedUntil = 0;
  private turn = 0;
  private staleFrom: number | null = null;

  constructor(private readonly feed: ChartFeed) {}

  /** Another chart is loading: what is under way no longer counts. */
  forget(): void {
    this.turn += 1;
    this.busy = false;
    this.pausedUntil = 0;
    this.staleFrom = null;
  }

  async older(): Promise<void> {
    const { feed } = this;
    const oldest = feed.series.oldest;
    if (!oldest || feed.state.latest.beginning) return;
    const page = await this.fetch(oldest.start);
    if (!page) return;
    feed.series.merge(page.candles);
    feed.patch({ beginning: page.candles.length === 0 || page.beginning });
    const excess = feed.series.all.length - CAPACITY;
    if (excess > 0) {
      feed.series.dropNewest(excess);
      feed.patch({ atHead: false });
    }
    feed.changed();
  }

  async newer(): Promise<void> {
    const { feed } = this;
    const newest = feed.series.newest;
    if (!newest || feed.state.latest.atHead) return;
    const { code, interval } = feed.state.latest;
    // At most one candle a window: a page that ends PAGE windows on holds all in between.
    const page = await this.fetch(windowAfter(interval, newest.start, PAGE + 1));
    if (!page) return;
    feed.series.merge(page.candles.filter((candle) => candle.start > newest.start));
    if (feed.series.newest === newest) {
      // A long time without a trade: go where there are some.
      void feed.show(code, interval);
      return;
    }
    if ((feed.series.newest?.start ?? 0) >= feed.head) feed.patch({ atHead: true });
    const excess = feed.series.all.length - CAPACITY;
    if (excess > 0) {
      feed.series.dropOldest(excess);
      feed.patch({ beginning: false });
    }
    feed.changed();
  }

  /**
   * Loads the candles around `time` (seconds), unless it has them. False when there are none or
   * they could not be had.
   */
  async goTo(time: number): Promise<boolean> {
    const { feed } = this;
    const { oldest, newest } = feed.series;
    const { interval, atHead } = feed.state.latest;
    if (!oldest || !newest) return false;
    if (time >= oldest.start && (atHead || time <= newest.start)) return true;
    this.forget(); // whatever is under way belongs to another place
    const page = await this.fetch(windowAfter(interval, windowStart(interval, time), PAGE / 2));
    if (!page || page.candles.length === 0) return false;
    this.arrive(page, time < oldest.start);
    return true;
  }

  /** A page that may lie anywhere: what it does not reach to is dropped. */
  private arrive(page: CandlePage, leftward: boolean): void {
    const { series, state, head } = this.feed;
    const [first, last] = ends(page.candles);
    const [oldest, newest] = ends(series.all);
    const joined = first <= newest && last >= oldest;
    const beginning = joined && oldest < first ? state.latest.beginning : page.beginning;
    if (!joined) series.dropOldest(series.all.length);
    series.merge(page.candles);
    const excess = Math.max(0, series.all.length - CAPACITY);
    if (leftward) series.dropNewest(excess);
    else series.dropOldest(excess);
    const kept = leftward || excess === 0;
    const atHead = ends(series.all)[1] >= head;
    this.feed.patch({ beginning: beginning && kept, atHead });
    this.feed.changed(!joined);
  }

  /** Fetches everything from `from` (seconds) to the newest loaded bar again. */
  async refetch(from: number): Promise<void> {
    this.staleFrom = Math.min(from, this.staleFrom ?? from);
    await this.resume();
  }

  /** Goes on with a refetch that had to wait. */
  async resume(): Promise<void> {
    while (this.staleFrom !== null && !this.busy) {
      const { interval, phase } = this.feed.state.latest;
      if (phase !== 'ready') return;
      const from = this.staleFrom;
      const mine = this.turn;
      this.staleFrom = null;
      if (await this.refresh(windowStart(interval, from))) continue;
      if (mine !== this.turn) return;
      this.staleFrom = Math.min(from, this.staleFrom ?? from);
      setTimeout(() => void this.resume(), PAUSE_MS);
      return;
    }
  }

  private async refresh(start: number): Promise<boolean> {
    const { feed } = this;
    const { atHead, interval } = feed.state.latest;
    const newest = feed.series.newest;
    let to = atHead || !newest ? undefined : windowAfter(interval, newest.start);
    // At most one candle a window, and some that have begun meanwhile.
    const width = windowAfter(interval, start) - start;
    const windows = Math.ceil((Math.max(feed.head, start) - start) / width) + SPARE;
    for (let pages = 0; pages < REFETCH_PAGES; pages += 1) {
      const page = await this.fetch(to, pages === 0 ? Math.min(PAGE, windows) : PAGE);
      if (!page) return false;
      const first = page.candles[0];
      if (!first) return true;
      const from = Math.max(start, feed.series.oldest?.start ?? start);
      const covered = page.candles.filter((candle) => candle.start >= from);
      feed.series.refresh(covered, Math.max(from, first.start));
      feed.changed();
      if (first.start <= from) return true;
      to = first.start;
    }
    return true;
  }

  /** One page at a time; null when there is nothing to merge. */
  private async fetch(to: number | undefined, count = PAGE): Promise<CandlePage | null> {
    if (this.busy || this.feed.state.latest.phase !== 'ready') return null;
    if (Date.now() < this.pausedUntil) return null;
    const mine = this.turn;
    this.busy = true;
    try {
      const page = await this.feed.fetch(count, to);
      return mine === this.turn ? page : null;
    } catch (error) {
      if (mine !== this.turn) return null;
      if (!(error instanceof RestError)) throw error;
      this.pausedUntil = Date.now() + PAUSE_MS;
      return null;
    } finally {
      if (mine === this.turn) {
        this.busy = false;
        if (this.staleFrom !== null) setTimeout(() => void this.resume());
      }
    }
  }
}
