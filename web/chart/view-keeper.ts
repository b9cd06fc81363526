// SPDX-License-Identifier: Apache-2.0
// What is in view: told to whoever pages and remembers, held in place when bars come and go.
import type { IChartApi, LogicalRange } from 'lightweight-charts';
import { indexFrom, shiftOf, type Bar } from './bars';
import type { MainSeries } from './main-series';
import { CAPACITY, PAGE } from './pager';
import { NEWEST, type View } from './place';
import { BAR_SPACING } from './theme';

/** Bars left beyond the edge of the view when the next page is asked for, at least. */
const LEAST_MARGIN = 150;
/** With more in view than this, both edges would be near at once and pages would chase each other. */
const MOST_IN_VIEW = 4000;

/** A pull moves by as much as the view at most, and a page comes in when it is over. */
const PULLS = 1.5;

function marginFor(inView: number): number {
  return Math.max(LEAST_MARGIN, Math.min(PULLS * inView, (CAPACITY - PAGE - inView) / 2));
}

/** Positions of bars, as the library counts them. */
interface Range {
  readonly from: number;
  readonly to: number;
}

export interface ViewEvents {
  nearLeft(): void;
  nearRight(): void;
  /** Whether the oldest and the newest loaded bar are in sight. */
  edges(oldest: boolean, newest: boolean): void;
  view(view: View): void;
}

export class ViewKeeper {
  /** Where the library will be after its next frame: until then it tells the range before. */
  private aim: Range | null = null;
  /** Comes after the library's: that was asked for first. */
  private frame = 0;
  /** What the library tells meanwhile is of a view that nobody will see. */
  private exchanging = false;

  constructor(
    private readonly chart: IChartApi,
    private readonly main: MainSeries,
    private readonly events: ViewEvents,
    /** To be shown when its bars are there; until then no other view counts. */
    private wanted: View | null,
  ) {
    this.scale.subscribeVisibleLogicalRangeChange((range) => this.moved(range));
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
  }

  private get scale() {
    return this.chart.timeScale();
  }

  get range(): Range | null {
    return this.aim ?? this.scale.getVisibleLogicalRange();
  }

  show(range: Range): void {
    this.aimAt(range);
    this.scale.setVisibleLogicalRange(range);
  }

  toNewest(): void {
    const { rightOffset } = this.scale.options();
    const { range } = this;
    const to = this.main.bars.length - 1 + rightOffset;
    if (range) this.aimAt({ from: to - (range.to - range.from), to });
    // Not animated: a page that arrives meanwhile would stop the animation half-way.
    this.scale.scrollToPosition(rightOffset, false);
  }

  /** Puts the bar of `start` (seconds UTC) in the middle. */
  focusOn(start: number): void {
    const { range } = this;
    if (!range) return;
    const half = (range.to - range.from) / 2;
    const at = indexFrom(this.main.bars, start);
    this.show({ from: at - half, to: at + half });
  }

  /**
   * Exchanges the bars by `set`, and holds the same in view if it is to be kept; else, or when the
   * wanted view can be shown now, goes there: then it is false.
   */
  exchange(set: () => void, keep: boolean): boolean {
    const range = keep ? this.range : null;
    const before = this.main.bars;
    this.exchanging = true;
    set();
    this.exchanging = false;
    const kept = range !== null && !this.due;
    if (kept) this.keep(range, before);
    else this.fresh();
    this.moved(this.scale.getVisibleLogicalRange());
    return kept;
  }

  /** The wanted view can be shown now. */
  private get due(): boolean {
    return this.wanted !== null && (this.wanted.at === null || this.holds(this.wanted.at));
  }

  /** Nobody waits for the wanted view any more. */
  giveUp(): void {
    this.wanted = null;
  }

  /** New bars, of another place perhaps: the wanted view, or the newest. */
  private fresh(): void {
    const { bars } = this.main;
    if (bars.length === 0) return;
    const wanted = this.wanted ?? NEWEST;
    const held = wanted.at === null || this.holds(wanted.at);
    if (held) this.wanted = null;
    const spacing = this.scale.options();
    const width = this.scale.width();
    const shown = wanted.bars ?? Math.round(width / BAR_SPACING);
    if (wanted.bars !== null) {
      const newest = bars.length - 1 + spacing.rightOffset;
      this.show({ from: newest - shown, to: newest });
    }
    if (wanted.at === null || !held) return this.toNewest();
    const at = indexFrom(bars, wanted.at);
    this.show({ from: at - shown, to: at });
  }

  /** Holds the same bars in view, or the newest if that was in view. */
  private keep(range: Range, before: readonly Bar[]): void {
    const { bars } = this.main;
    const atEdge = range.to >= before.length - 1;
    const moved = atEdge ? bars.length - before.length : shiftOf(before, bars);
    const from = range.from + moved;
    const now = this.scale.getVisibleLogicalRange();
    const there = now !== null && Math.abs(now.from - from) < 0.01;
    if (there && !this.aim) return; // the library did it by itself
    this.show({ from, to: range.to + moved });
  }

  private aimAt(range: Range): void {
    this.aim = range;
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      this.aim = null;
      this.moved(this.scale.getVisibleLogicalRange());
    });
  }

  private holds(start: number): boolean {
    const { bars } = this.main;
    const [first, last] = [bars[0], bars[bars.length - 1]];
    return first !== undefined && last !== undefined && first.start <= start && start <= last.start;
  }

  private moved(range: LogicalRange | null): void {
    const { length } = this.main.bars;
    if (this.aim || this.exchanging || !range || length === 0) return;
    const newest = range.to >= length - 1;
    this.events.edges(range.from <= 0, newest);
    if (!this.wanted) this.events.view(this.viewOf(range, newest));
    if (range.to - range.from > MOST_IN_VIEW) return;
    const margin = marginFor(range.to - range.from);
    if (range.from < margin) this.events.nearLeft();
    if (range.to > length - margin) this.events.nearRight();
  }

  private viewOf(range: LogicalRange, newest: boolean): View {
    const usual = Math.abs(this.scale.options().barSpacing - BAR_SPACING) < 0.01;
    const at = newest ? null : (this.main.bars[Math.max(0, Math.round(range.to))]?.start ?? null);
    return { at, bars: usual ? null : Math.max(1, Math.round(range.to - range.from)) };
  }
}
