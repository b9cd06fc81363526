// SPDX-License-Identifier: Apache-2.0
// One, two or four charts at once. Each has its market, interval, range and choices; all hear one
// stream; keys, tools and the market list act on the one that has the focus.
import type { Live } from '../api/live';
import { ValueStore } from '../api/store';
import type { Interval } from '../api/types';
import { address, changeAddress, slotName } from '../ui/address';
import { keep, keptText } from '../ui/kept';
import { ChartFeed } from './chart-feed';
import { Choosing } from './choices';
import {
  clearPlace,
  keepPlace,
  LAYOUTS,
  MOST_CHARTS,
  NEWEST,
  readLayout,
  readPlace,
  writeLayout,
  writePlace,
  type Layout,
  type View,
} from './place';

/** A moving view is written down when it has rested for so long. */
const REST_MS = 400;
const KEY = 'charts';

export interface Slot {
  readonly feed: ChartFeed;
  readonly choosing: Choosing;
}

export interface BoardState {
  readonly slots: readonly Slot[];
  readonly focused: number;
}

export class Board {
  readonly state: ValueStore<BoardState>;
  private resting: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly live: Live) {
    const query = address();
    const kept = new URLSearchParams(keptText(KEY) ?? '');
    // A link says all of what it shows; without one, the charts are as they were.
    const named = query.has('code') || query.has('interval') || query.has('layout');
    const source = named ? query : kept;
    const slots = Array.from({ length: readLayout(source) }, (_, at) => this.make(source, at));
    this.state = new ValueStore<BoardState>(live.frame, { slots, focused: 0 });
    if (named) this.write();
    this.settle(query);
  }

  get focused(): ChartFeed {
    const { slots, focused } = this.state.latest;
    return (slots[focused] as Slot).feed;
  }

  get layout(): Layout {
    return this.state.latest.slots.length as Layout;
  }

  focus(focused: number): void {
    if (focused === this.state.latest.focused) return;
    this.state.set({ ...this.state.latest, focused });
  }

  /** Another market or interval in the chart that has the focus. */
  show(code: string, interval: Interval): void {
    const feed = this.focused;
    const now = feed.state.latest;
    if (now.code === code && now.interval === interval) return;
    feed.view = { ...NEWEST, bars: feed.view.bars };
    feed.asked ||= interval !== now.interval;
    void feed.show(code, interval);
    this.write();
  }

  setLayout(layout: Layout): void {
    const { slots, focused } = this.state.latest;
    if (!LAYOUTS.includes(layout) || layout === slots.length) return;
    const kept = new URLSearchParams(keptText(KEY) ?? '');
    keepPlace(this.placeOf(slots[0] as Slot), kept);
    const next = Array.from({ length: layout }, (_, at) => slots[at] ?? this.make(kept, at));
    this.state.set({ slots: next, focused: Math.min(focused, layout - 1) });
    for (const { feed, choosing } of slots.slice(layout)) {
      feed.close();
      choosing.close();
    }
    this.write();
  }

  /** The view of a chart has moved. */
  moved(feed: ChartFeed, view: View): void {
    if (feed.view.at === view.at && feed.view.bars === view.bars) return;
    feed.view = view;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.write(), REST_MS);
  }

  /** Once it is known which markets there are: a chart that nobody asked for shows one of them. */
  private settle(asked: URLSearchParams): void {
    const wanted = this.state.latest.slots.filter((_, at) => !asked.has(slotName('code', at)));
    const { markets } = this.live;
    const stop = markets.subscribe(() => {
      const home = markets.latest.find(({ listed }) => listed)?.code;
      if (home === undefined) return;
      stop();
      const known = new Set(markets.latest.map(({ code }) => code));
      const { slots } = this.state.latest;
      const lost = wanted.filter((slot) => slots.includes(slot) && !known.has(this.codeOf(slot)));
      for (const { feed } of lost) void feed.show(home, feed.state.latest.interval);
      if (lost.length > 0) this.write();
    });
  }

  private make(source: URLSearchParams, at: number): Slot {
    const { code, interval, asked, view } = readPlace(source, at);
    const feed = new ChartFeed(this.live, code, interval);
    feed.view = view;
    feed.asked = asked;
    void feed.show(code, interval);
    return { feed, choosing: new Choosing(at) };
  }

  private codeOf({ feed }: Slot): string {
    return feed.state.latest.code;
  }

  private placeOf({ feed }: Slot) {
    const { code, interval } = feed.state.latest;
    return { code, interval, asked: feed.asked, view: feed.view };
  }

  private write(): void {
    const { slots } = this.state.latest;
    const write = (into: URLSearchParams, place: typeof writePlace) => {
      slots.forEach((slot, at) => place(this.placeOf(slot), into, at));
      writeLayout(this.layout, into);
    };
    changeAddress((parameters) => {
      for (let at = slots.length; at < MOST_CHARTS; at += 1) clearPlace(parameters, at);
      write(parameters, writePlace);
    });
    // What a chart that is hidden now showed comes back with it.
    const kept = new URLSearchParams(keptText(KEY) ?? '');
    write(kept, keepPlace);
    keep(KEY, kept.toString());
  }
}
