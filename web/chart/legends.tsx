// SPDX-License-Identifier: Apache-2.0
import { useSyncExternalStore } from 'react';
import type { Gap, Interval } from '../api/types';
import { pairOf } from '../ui/format';
import { BesideNote } from './beside-note';
import type { ChartFeed } from './chart-feed';
import type { ChartFrame } from './chart-frame';
import { useChoices } from './choices';
import { CompareLegend } from './compare';
import type { CompareLine } from './compare-line';
import { GapNote, RepairNote } from './gap-note';
import { Legend } from './legend';
import { repairOf } from './repair';
import { StudyLegend } from './study-legend';
import { useBeside } from './use-beside';

interface LegendsProps {
  readonly feed: ChartFeed;
  readonly frame: ChartFrame | null;
  /** Its name, where there are other charts. */
  readonly name: { readonly code: string; readonly interval: Interval } | null;
  readonly hovered: number | null;
  readonly gap: Gap | null;
  readonly tickOf: (code: string) => string | null;
  readonly compare: CompareLine | null;
  /** Decimals of the indicators' figures. */
  readonly figures: number;
}

/** The candle under the pointer, or the newest; and the one before it. */
function candleUnder({ series }: ChartFeed, hovered: number | null) {
  const candle = (hovered === null ? undefined : series.at(hovered)) ?? series.newest;
  const before = candle && series.all[series.indexFrom(candle.start) - 1];
  return { candle, before };
}

/** All that is written over the chart about what is under the pointer. */
export function Legends(props: LegendsProps) {
  const { feed, frame, name, hovered, gap, tickOf, compare, figures } = props;
  const { zone, beside: shown } = useChoices();
  useSyncExternalStore(feed.drawing.told.subscribe, feed.drawing.told.get);
  const beside = useBeside(feed, frame, shown === 'shown');
  const { candle, before } = candleUnder(feed, hovered);
  const repair = repairOf(candle, (candle && feed.live.gaps.latest(candle.code)) ?? []);
  return (
    <div className="legends">
      {name && (
        <p className="legend-name">
          {pairOf(name.code)} <span>{name.interval}</span>
        </p>
      )}
      <Legend
        candle={candle}
        before={before}
        tickSize={candle ? tickOf(candle.code) : null}
        zone={zone}
      />
      <StudyLegend layer={frame?.studies} start={candle?.start} places={figures} />
      {compare && candle && <CompareLegend line={compare} start={candle.start} tickOf={tickOf} />}
      {shown === 'shown' && <BesideNote beside={beside} />}
      {repair && <RepairNote repair={repair} partial={candle?.state === 'partial'} zone={zone} />}
      {gap && <GapNote gap={gap} zone={zone} />}
    </div>
  );
}
