// SPDX-License-Identifier: Apache-2.0
// The candles of a second market, of the same interval and the same time as a chart's own.
import { backoffMs } from '../api/backoff';
import { BarSeries } from '../api/bar-series';
import { windowAfter } from '../api/interval';
import type { Live } from '../api/live';
import { getCandles, RestError } from '../api/rest';
import type { Candle, Interval } from '../api/types';
import { Following } from './following';

const PAGE = 1000;

/** Starts of the first and the last bar of a chart, seconds UTC. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** The last is the newest there is. */
  readonly atHead: boolean;
}

export class CompareFeed {
  readonly series = new BarSeries();
  private readonly following: Following;
  private readonly cancel = new AbortController();
  private readonly ready: Promise<void>;
  private wanted: Span | null = null;
  private busy = false;
  /** While a page was under way. */
  private heard: Candle[] = [];
  /** All candles that start in [low, high) are here. */
  private low = 0;
  private high = 0;

  constructor(
    live: Live,
    readonly code: string,
    readonly interval: Interval,
    /** Told whether more than the newest has changed. */
    private readonly changed: (past: boolean) => void,
    private readonly fetchCandles: typeof getCandles = getCandles,
  ) {
    this.following = new Following(live);
    this.ready = this.following.change(`candle.${interval}:${code}`, {
      candle: (candle) => this.receive(candle),
      stale: () => this.forget(),
    });
  }

  close(): void {
    this.cancel.abort();
    this.following.close();
  }

  /** Sees to it that the candles of a chart's span are here. */
  cover(span: Span): void {
    this.wanted = span;
    void this.load();
  }

  private receive(candle: Candle): void {
    if (this.busy) this.heard.push(candle); // what is being fetched may be older
    if (candle.start < this.low || candle.start >= this.high) return;
    const newest = this.series.newest?.start ?? Infinity;
    if (this.series.apply(candle) !== 'none') this.changed(candle.start < newest);
  }

  /** Gaps were filled, or the stream lost its place: all of it is asked for again. */
  private forget(): void {
    this.high = this.low = 0;
    void this.load();
  }

  private async load(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    await this.ready;
    for (let attempt = 1; !this.cancel.signal.aborted; attempt += 1) {
      try {
        while (await this.step());
        break;
      } catch (error) {
        if (!(error instanceof RestError)) break; // closed meanwhile
        await new Promise((done) => setTimeout(done, backoffMs(attempt)));
      }
    }
    this.busy = false;
    this.heard = [];
  }

  /** Fetches one page of what is missing; false when nothing is. */
  private async step(): Promise<boolean> {
    const { wanted } = this;
    if (!wanted) return false;
    const end = wanted.atHead ? Infinity : windowAfter(this.interval, wanted.to);
    const apart = end > this.high || end < this.low;
    if (!apart && this.low <= wanted.from) return false;
    const to = apart ? end : this.low;
    const { code, interval } = this;
    const query = { code, interval, count: PAGE };
    const page = await this.fetchCandles(
      to === Infinity ? query : { ...query, to },
      this.cancel.signal,
    );
    if (apart) {
      this.series.dropOldest(this.series.all.length);
      this.high = end;
    }
    const first = page.candles[0]?.start;
    this.low = first === undefined || page.beginning ? -Infinity : first;
    this.series.merge(page.candles);
    this.series.merge(this.heard.filter(({ start }) => start >= this.low && start < this.high));
    this.changed(true);
    return true;
  }
}

/** For each of `starts` (ascending) the last close at or before it; null before the first. */
export function closesAt(starts: readonly number[], candles: readonly Candle[]): (string | null)[] {
  let next = 0;
  return starts.map((start) => {
    while (next < candles.length && (candles[next] as Candle).start <= start) next += 1;
    return candles[next - 1]?.close ?? null;
  });
}
