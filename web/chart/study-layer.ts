// SPDX-License-Identifier: Apache-2.0
// All indicators of a chart. Each line makes the library redraw all bars, so they follow the
// prices a few times a second, not at every update.
import type { IChartApi, SeriesOptionsCommon } from 'lightweight-charts';
import { indexFrom } from './bars';
import type { MainSeries } from './main-series';
import { studyText, type Study } from './study';
import { StudyView } from './study-view';
import type { Palette } from './theme';

const PAUSE_MS = 250;

export class StudyLayer {
  views: readonly StudyView[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private format: SeriesOptionsCommon['priceFormat'] | null = null;

  constructor(
    private readonly chart: IChartApi,
    private readonly main: MainSeries,
    private readonly palette: Palette,
    /** Their figures have moved. */
    private readonly moved: () => void,
  ) {}

  /** Those that stay are kept as they are. */
  set(studies: readonly Study[]): void {
    const kept = new Map(this.views.map((view) => [studyText(view.study), view]));
    const taken = new Set<string>();
    const wanted = new Set(studies.map(studyText));
    for (const [text, view] of kept) {
      if (wanted.has(text)) taken.add(view.colour);
      else view.remove();
    }
    this.views = studies.map((study) => {
      const old = kept.get(studyText(study));
      if (old) return old;
      const [first = ''] = this.palette.studies;
      const colour = this.palette.studies.find((one) => !taken.has(one)) ?? first;
      taken.add(colour);
      const view = new StudyView(this.chart, study, colour, this.palette);
      if (this.format) view.setFormat(this.format);
      view.setBars(this.main.bars, this.main.shift);
      return view;
    });
    this.moved();
  }

  setFormat(format: SeriesOptionsCommon['priceFormat']): void {
    this.format = format;
    for (const view of this.views) view.setFormat(format);
  }

  /** The prices were set anew. */
  replaced(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const view of this.views) view.setBars(this.main.bars, this.main.shift);
  }

  /** Prices have changed; past ones too when told so. */
  updated(past: boolean): void {
    if (past) return this.replaced();
    if (this.views.length === 0) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      for (const view of this.views) view.extend(this.main.bars, this.main.shift);
      this.moved();
    }, PAUSE_MS);
  }

  destroy(): void {
    clearTimeout(this.timer);
  }

  /** Each indicator's values at the bar that starts at `start`. */
  valuesAt(start: number): readonly (readonly (number | null)[])[] {
    const at = indexFrom(this.main.bars, start);
    return this.views.map((view) => view.valuesAt(at));
  }
}
