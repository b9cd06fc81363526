// SPDX-License-Identifier: Apache-2.0
// The drawings on the chart: from time and price to pixels, and back.
import type {
  Coordinate,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  ISeriesPrimitiveAxisView,
  Logical,
  PrimitiveHoveredItem,
  SeriesAttachedParameter,
  Time,
} from 'lightweight-charts';
import type { Candle } from '../api/types';
import { indexOfTime, timeOfIndex } from './axis-time';
import { COLOURS, type Anchor, type Drawing } from './drawing';
import { DrawingPainter, noteBox, type Placed } from './drawing-paint';
import { handleAt, shapeOf, touches, type Point, type Size } from './drawing-shape';
import type { MainSeries } from './main-series';
import type { Palette } from './theme';

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];

export interface Hit {
  readonly drawing: Drawing;
  /** The anchor that is held; null for the whole. */
  readonly handle: number | null;
}

const NEAR = 6;

export class DrawingLayer implements ISeriesPrimitive {
  private list: readonly Drawing[] = [];
  private selected: string | null = null;
  /** What is being drawn or moved, in place of the drawing of the same id. */
  private draft: Drawing | null = null;
  private attachment: SeriesAttachedParameter<Time> | null = null;
  private readonly painter: DrawingPainter;

  constructor(
    private readonly main: MainSeries,
    palette: Palette,
    private readonly candles: () => readonly Candle[],
  ) {
    this.painter = new DrawingPainter(palette);
  }

  attached(attachment: SeriesAttachedParameter<Time>): void {
    this.attachment = attachment;
  }

  set(list: readonly Drawing[], selected: string | null): void {
    this.list = list;
    this.selected = selected;
    this.attachment?.requestUpdate();
  }

  setDraft(draft: Drawing | null): void {
    this.draft = draft;
    this.attachment?.requestUpdate();
  }

  get shown(): readonly Drawing[] {
    const { draft, list } = this;
    if (!draft) return list;
    const known = list.some(({ id }) => id === draft.id);
    return known ? list.map((one) => (one.id === draft.id ? draft : one)) : [...list, draft];
  }

  get size(): Size {
    const { chart } = this.attachment ?? {};
    const height = chart?.panes()[0]?.getHeight() ?? 0;
    return { width: chart?.timeScale().width() ?? 0, height };
  }

  /** Null while there is nothing to place it by. */
  place({ time, price }: Anchor): Point | null {
    const { interval } = this;
    const index = interval && indexOfTime(time, this.main.bars, interval);
    const y = this.main.price.priceToCoordinate(price);
    const axis = this.axis();
    if (index === undefined || index === null || y === null || !axis) return null;
    return { x: axis.zero + axis.step * index, y };
  }

  /** The anchor at a place: the time of the nearest bar, the price as it is. */
  anchorAt({ x, y }: Point): Anchor | null {
    const { interval } = this;
    const axis = this.axis();
    const price = this.main.price.coordinateToPrice(y as Coordinate);
    if (!interval || !axis || price === null) return null;
    const time = timeOfIndex((x - axis.zero) / axis.step, this.main.bars, interval);
    return time === null ? null : { time, price };
  }

  /** The topmost drawing at a place; handles of the selected one come first. */
  hit(point: Point, reach = NEAR): Hit | null {
    const placed = this.placed();
    const chosen = placed.find(({ drawing }) => drawing.id === this.selected);
    if (chosen) {
      const handle = handleAt(point, chosen.points, reach + 3);
      if (handle !== null) return { drawing: chosen.drawing, handle };
    }
    const under = placed.reverse().find((one) => {
      if (one.drawing.kind !== 'note') return touches(point, one.shape, reach);
      const { left, top, right, bottom } = noteBox(one);
      return point.x >= left && point.x <= right && point.y >= top && point.y <= bottom;
    });
    return under ? { drawing: under.drawing, handle: null } : null;
  }

  /** Lets the pointer show that something can be taken. */
  hitTest(x: number, y: number): PrimitiveHoveredItem | null {
    const hit = this.hit({ x, y });
    return hit && { cursorStyle: 'pointer', externalId: hit.drawing.id, zOrder: 'top' };
  }

  paneViews(): readonly IPrimitivePaneView[] {
    const draw = (target: Target) =>
      target.useMediaCoordinateSpace(({ context }) => {
        const price = (value: number) => this.main.price.priceFormatter().format(value);
        for (const one of this.placed()) {
          this.painter.paint(context, one, one.drawing.id === this.selected, price);
        }
      });
    return [{ zOrder: () => 'top', renderer: () => ({ draw }) }];
  }

  /** A level's price, and those of the selected drawing's anchors. */
  priceAxisViews(): readonly ISeriesPrimitiveAxisView[] {
    return this.placed()
      .filter(({ drawing }) => drawing.kind === 'level' || drawing.id === this.selected)
      .flatMap(({ drawing, points }) =>
        points.map(({ y }, at) => ({
          coordinate: () => y,
          text: () => this.main.price.priceFormatter().format(drawing.anchors[at]?.price ?? 0),
          textColor: () => '#0b0e13',
          backColor: () => COLOURS[drawing.colour] ?? COLOURS[0],
        })),
      );
  }

  private get interval() {
    return this.candles()[0]?.interval;
  }

  /** The library knows places of whole bars only. */
  private axis(): { zero: number; step: number } | null {
    const scale = this.attachment?.chart.timeScale();
    const zero = scale?.logicalToCoordinate(0 as Logical) ?? null;
    const one = scale?.logicalToCoordinate(1 as Logical) ?? null;
    return zero === null || one === null ? null : { zero, step: one - zero };
  }

  private placed(): Placed[] {
    const { size } = this;
    return this.shown.flatMap((drawing) => {
      const points = drawing.anchors.map((anchor) => this.place(anchor));
      if (points.some((point) => point === null)) return [];
      const [a, b = a] = drawing.anchors;
      const levelY = (level: number) => {
        const price = (b?.price ?? 0) + ((a?.price ?? 0) - (b?.price ?? 0)) * level;
        return this.main.price.priceToCoordinate(price) ?? 0;
      };
      const shape = shapeOf(drawing.kind, points as Point[], size, levelY);
      return [{ drawing, points: points as Point[], shape }];
    });
  }
}
