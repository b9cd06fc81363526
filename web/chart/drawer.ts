// SPDX-License-Identifier: Apache-2.0
// A chart's drawings: their layer, and who works on it by pointer and by key.
import { useSyncExternalStore } from 'react';
import type { Candle } from '../api/types';
import { DrawingDesk, type DeskState } from './drawing-desk';
import { DrawingHand } from './drawing-hand';
import { DrawingKeys } from './drawing-keys';
import { DrawingLayer } from './drawing-layer';
import { drawings } from './drawing-store';
import type { MainSeries } from './main-series';
import type { Palette } from './theme';

export class Drawer {
  readonly layer: DrawingLayer;
  readonly desk: DrawingDesk;
  readonly keys: DrawingKeys;
  private readonly hand: DrawingHand;

  constructor(
    element: HTMLElement,
    main: MainSeries,
    palette: Palette,
    candles: () => readonly Candle[],
  ) {
    this.layer = new DrawingLayer(main, palette, candles);
    main.attach(this.layer);
    this.desk = new DrawingDesk(this.layer, drawings);
    this.hand = new DrawingHand(element, this.desk, this.layer);
    this.keys = new DrawingKeys(this.desk, () => this.hand.cancel());
  }

  destroy(): void {
    this.hand.destroy();
    this.desk.destroy();
  }
}

const NONE: DeskState = { tool: null, selected: null, writing: null };
const none = () => NONE;
const never = () => () => undefined;

export function useDesk(drawer: Drawer | undefined): DeskState {
  return useSyncExternalStore(drawer?.desk.subscribe ?? never, drawer?.desk.get ?? none);
}
