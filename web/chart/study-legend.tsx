// SPDX-License-Identifier: Apache-2.0
import { fixed } from '../ui/format';
import { MANNERS } from './study';
import type { StudyLayer } from './study-layer';

const PLAIN_PLACES = 2;

interface StudyLegendProps {
  readonly layer: StudyLayer | undefined;
  /** The bar under the pointer, or the newest. */
  readonly start: number | undefined;
  readonly places: number;
}

/** Each indicator's figures, in its colour. */
export function StudyLegend({ layer, start, places }: StudyLegendProps) {
  if (!layer || layer.views.length === 0 || start === undefined) return null;
  const values = layer.valuesAt(start);
  return (
    <p className="study-legend">
      {layer.views.map(({ study, colour }, at) => {
        const shown = MANNERS[study.kind].plain ? PLAIN_PLACES : places;
        const figures = (values[at] ?? []).map((value) =>
          value === null ? '–' : fixed(value.toFixed(shown), shown),
        );
        return (
          <span key={study.kind + study.values.join('-')} style={{ color: colour }}>
            {study.kind.toUpperCase()} {study.values.join(' ')}: {figures.join(' · ')}
          </span>
        );
      })}
    </p>
  );
}
