// SPDX-License-Identifier: Apache-2.0
// The countdown beneath the last price on the price axis.
import type {
  ISeriesPrimitive,
  ISeriesPrimitiveAxisView,
  SeriesAttachedParameter,
  Time,
} from 'lightweight-charts';
import type { MainSeries } from './main-series';
import type { Palette } from './theme';

const LINE = 17;

export class CountdownLabel implements ISeriesPrimitive {
  private text = '';
  private redraw: () => void = () => undefined;
  private readonly view: ISeriesPrimitiveAxisView;

  constructor(main: MainSeries, palette: Palette) {
    this.view = {
      coordinate: () => {
        const last = main.last;
        const price = last && main.price.priceToCoordinate(last.close);
        return price === undefined || price === null ? -1000 : price + LINE;
      },
      text: () => this.text,
      textColor: () => '#ffffff',
      backColor: () => palette.label,
      visible: () => this.text !== '',
    };
  }

  attached({ requestUpdate }: SeriesAttachedParameter<Time>): void {
    this.redraw = requestUpdate;
  }

  priceAxisViews(): readonly ISeriesPrimitiveAxisView[] {
    return [this.view];
  }

  setText(text: string): void {
    if (text === this.text) return;
    this.text = text;
    this.redraw();
  }
}
