// SPDX-License-Identifier: Apache-2.0
// A market's price and change, written into cells several times a second.
import { compareDecimal, signOf } from '../api/decimal';
import type { Ticker } from '../api/types';
import { flash, write } from '../ui/flash';
import { formatAmount, formatPrice, formatRate, signed } from '../ui/format';
import type { Language } from '../ui/text';

export type Figure = 'price' | 'rate' | 'change' | 'turnover';

function wayOf(change: string): 'rise' | 'fall' | 'even' {
  const sign = signOf(change);
  return sign > 0 ? 'rise' : sign < 0 ? 'fall' : 'even';
}

export class Figures {
  private shown: Ticker | undefined;
  private way = '';
  private readonly cells: Partial<Record<Figure, HTMLElement>> = {};
  private readonly tinted: readonly HTMLElement[];

  /** `host` holds a cell for each figure, `data-figure`; what has `data-way` is tinted. */
  constructor(
    host: HTMLElement,
    private readonly tickSize: string | null,
    private readonly language: Language,
  ) {
    for (const cell of host.querySelectorAll<HTMLElement>('[data-figure]')) {
      this.cells[cell.dataset['figure'] as Figure] = cell;
      write(cell, ''); // what another market has left
    }
    this.tinted = [...host.querySelectorAll<HTMLElement>('[data-way]')];
  }

  show(ticker: Ticker | undefined): void {
    const { shown } = this;
    if (!ticker || ticker === shown) return;
    this.shown = ticker;
    if (ticker.price !== shown?.price) this.showPrice(ticker, shown);
    if (ticker.change !== shown?.change || ticker.changeRate !== shown.changeRate) {
      this.showChange(ticker);
    }
    const { turnover } = this.cells;
    if (turnover) write(turnover, formatAmount(ticker.amount24h, this.language));
  }

  private showPrice({ price }: Ticker, shown: Ticker | undefined): void {
    const cell = this.cells.price;
    if (!cell) return;
    write(cell, formatPrice(price, this.tickSize));
    if (shown) flash(cell, compareDecimal(price, shown.price) > 0 ? 'rise' : 'fall');
  }

  private showChange({ change, changeRate }: Ticker): void {
    const { rate, change: cell } = this.cells;
    if (rate) write(rate, formatRate(changeRate));
    if (cell) write(cell, signed(formatPrice(change, this.tickSize), signOf(change)));
    const way = wayOf(change);
    if (way === this.way) return;
    this.way = way;
    for (const one of this.tinted) one.dataset['way'] = way;
  }
}
