// SPDX-License-Identifier: Apache-2.0
// Keeps one chart's candles: history by REST, then the stream, joined without hole or double.
import { BarSeries } from '../api/bar-series';
import { backoffMs } from '../api/backoff';
import type { Live } from '../api/live';
import { getCandles, RestError } from '../api/rest';
import { ValueStore } from '../api/store';
import type { Candle, CandlePage, Interval } from '../api/types';
import { DrawQueue } from './draw-queue';
import { ExchangeClock } from './exchange-clock';
import { showEarly } from './early';
import type { FeedState, Screen } from './feed-state';
import { finestInstead } from './finest';
import { Following } from './following';
import { CAPACITY, Pager } from './pager';
import { NEWEST } from './place';

const FIRST_PAGE = 500;
/** Bars dropped at once when live ones overflow: dropping means drawing everything again. */
const SLACK = 250;

export class ChartFeed {
  readonly state: ValueStore<FeedState>;
  readonly drawing: DrawQueue;
  readonly pager: Pager;
  readonly clock = new ExchangeClock();
  series = new BarSeries();
  /** Start of the newest candle heard of, loaded or not. */
  head = 0;
  /** What of it is looked at. */
  view = NEWEST;
  /** Whether somebody asked for its interval. */
  asked = false;
  private generation = 0;
  private cancel = new AbortController();
  private readonly following: Following;
  private resets = 0;
  constructor(
    readonly live: Live,
    code: string,
    interval: Interval,
    private readonly fetchCandles: typeof getCandles = getCandles,
  ) {
    const first = { phase: 'loading', decided: false, beginning: false, atHead: true } as const;
    this.state = new ValueStore<FeedState>(live.frame, { ...first, code, interval });
    this.drawing = new DrawQueue(live.frame, live.figures, () => this.series);
    this.pager = new Pager(this);
    this.following = new Following(live);
  }

  attach(screen: Screen, join = false): () => void {
    return this.drawing.attach(screen, join);
  }

  /** Shows a market and interval. The old bars stay until the new ones are here. */
  async show(code: string, interval: Interval): Promise<void> {
    this.resets = 0;
    const page = await this.load(code, interval, false);
    if (!page) return;
    this.openAt(page);
    void this.live.loadGaps(code);
  }

  /** Nothing is shown any more: the stream need not follow it. */
  close(): void {
    this.generation += 1;
    this.cancel.abort();
    this.pager.forget();
    this.following.close();
  }

  patch(change: Partial<FeedState>): void {
    this.state.set({ ...this.state.latest, ...change });
  }

  fetch(count: number, to?: number): Promise<CandlePage> {
    const { code, interval } = this.state.latest;
    const query = { code, interval, count };
    return this.fetchCandles(to === undefined ? query : { ...query, to }, this.cancel.signal);
  }

  /** The series was changed in more than single bars. */
  changed(fresh = false): void {
    this.drawing.all(fresh);
  }

  /** A stream that runs already follows this chart: what it says and what was fetched overlap. */
  private openAt(page: CandlePage): void {
    if (!this.live.stream.started) this.live.stream.open(page.cursor);
  }

  /** The stream lost its position: it goes on from now, and all history is fetched again. */
  private async startOver(): Promise<void> {
    const { code, interval } = this.state.latest;
    this.resets += 1;
    if (this.resets > 1) await new Promise((done) => setTimeout(done, backoffMs(this.resets)));
    if (this.state.latest.code !== code || this.state.latest.interval !== interval) return;
    const page = await this.load(code, interval, true);
    if (page) this.openAt(page);
  }

  private async load(code: string, interval: Interval, keep: boolean): Promise<CandlePage | null> {
    this.cancel.abort();
    this.cancel = new AbortController();
    this.pager.forget();
    const mine = ++this.generation;
    const { signal } = this.cancel;
    const next = new BarSeries();
    const subscription = `candle.${interval}:${code}`;
    const query = { code, interval, count: FIRST_PAGE };
    const decided = this.asked || this.state.latest.decided;
    this.patch({ phase: 'loading', code, interval, decided });
    // A shared stream takes a while to follow; an empty chart shows meanwhile what there is.
    const early =
      this.live.stream.started && !this.series.newest
        ? showEarly(this, this.fetchCandles(query, signal), signal)
        : null;
    let known = true;
    for (let attempt = 1; mine === this.generation; attempt += 1) {
      try {
        // Asked whether it has become known before it is followed: a stream that names an unknown
        // market is refused whole.
        if (!known) await this.fetchCandles({ ...query, count: 1 }, signal);
        known = true;
        await this.follow(subscription, next);
        if (mine !== this.generation) return null;
        const page = await this.following.page(() => this.fetchCandles(query, signal));
        const other = await finestInstead(this, page, (one) =>
          this.fetchCandles({ code, interval: one, count: 1 }, signal),
        );
        if (mine !== this.generation) return null;
        if (other) return await this.load(code, other, keep);
        this.adopt(next, page, keep || early?.shown === true);
        return page;
      } catch (error) {
        if (mine !== this.generation) return null;
        if (!(error instanceof RestError)) throw error;
        known = error.status !== 404;
        if (!known) await this.following.giveUp();
        this.failed(error, known);
      }
      await new Promise((done) => setTimeout(done, backoffMs(attempt)));
    }
    return null;
  }

  private failed(error: RestError, known: boolean): void {
    this.live.restFailed(error);
    // A server that has no markets yet knows none; that says nothing about this one.
    if (known) this.patch({ phase: 'failed', decided: true });
    else if (this.live.markets.latest.length > 0) this.patch({ phase: 'unknown', decided: true });
  }

  /** Followed first and fetched then: what happens in between is heard, and merged. */
  private follow(subscription: string, next: BarSeries): Promise<void> {
    return this.following.change(subscription, {
      candle: (candle) => this.receive(next, candle),
      stale: (from) => {
        if (from === null) void this.startOver();
        else void this.pager.refetch(from / 1000);
      },
    });
  }

  private adopt(series: BarSeries, page: CandlePage, keep: boolean): void {
    series.merge(page.candles);
    this.series = series;
    this.head = series.newest?.start ?? 0;
    this.drawing.forget();
    const phase = series.newest ? 'ready' : 'empty';
    this.patch({ phase, decided: true, beginning: page.beginning, atHead: true });
    this.changed(!keep);
    void this.pager.resume();
  }

  private receive(series: BarSeries, candle: Candle): void {
    const shown = this.series === series;
    this.clock.hear(candle);
    const { atHead, phase } = this.state.latest;
    if (shown) {
      this.head = Math.max(this.head, candle.start);
      // A window of the past has no end to append to; the bar comes with its page.
      if (!atHead && candle.start > (series.newest?.start ?? 0)) return;
      if (!atHead && candle.start < (series.oldest?.start ?? 0)) return;
    }
    const change = series.apply(candle);
    if (!shown || change === 'none') return;
    if (phase === 'empty') this.patch({ phase: 'ready' });
    if (change === 'inserted') return this.changed();
    if (series.all.length > CAPACITY + SLACK) {
      series.dropOldest(SLACK);
      this.patch({ beginning: false });
      return this.changed();
    }
    this.drawing.one(candle.start);
  }
}
