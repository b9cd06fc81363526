// SPDX-License-Identifier: Apache-2.0
// A dashboard from a list of rows: what is asked, in which unit, and what it means.
import {
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type Dashboard,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as LinesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
const LINES_HEIGHT = 8;
const STAT_HEIGHT = 4;

/** [expression, legend] */
type Query = [string, string];

export interface Panel {
  title: string;
  /** What the reader learns, and what is normal. */
  about: string;
  /** Grafana's name of the unit. */
  unit: string;
  queries: Query[];
  /** One number now; `bad` is the value from which it is red. */
  stat?: true;
  bad?: number;
  /** Of 24. */
  width?: number;
}

export interface Board {
  uid: string;
  title: string;
  about: string;
  rows: { title: string; panels: Panel[] }[];
}

/** What Grafana takes for the span of a rate. */
export const RATE = '$__rate_interval';

export const stat = (title: string, unit: string, expression: string, bad: number | undefined, about: string): Panel =>
  ({ title, about, unit, queries: [[expression, '']], stat: true, bad });

export const lines = (title: string, unit: string, about: string, ...queries: Query[]): Panel =>
  ({ title, about, unit, queries });

/** Median and 99th percentile of a histogram, all instances together. */
export const spread = (title: string, metric: string, about: string): Panel =>
  lines(title, 's', about,
    [`histogram_quantile(0.5, sum by (le) (rate(${metric}_bucket[${RATE}])))`, 'median'],
    [`histogram_quantile(0.99, sum by (le) (rate(${metric}_bucket[${RATE}])))`, '99 %']);

const target = ([expression, legend]: Query, at: number) =>
  new DataqueryBuilder()
    .expr(expression)
    .legendFormat(legend)
    .refId(String.fromCharCode('A'.charCodeAt(0) + at))
    .datasource(DATASOURCE);

function thresholds(bad: number) {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
    { value: null, color: 'green' },
    { value: bad, color: 'red' },
  ]);
}

function panel(p: Panel) {
  const builder = p.stat ? new StatBuilder() : new LinesBuilder().fillOpacity(5).lineWidth(1);
  builder
    .title(p.title)
    .description(p.about)
    .unit(p.unit)
    .datasource(DATASOURCE)
    .span(p.width ?? (p.stat ? 4 : 12))
    .height(p.stat ? STAT_HEIGHT : LINES_HEIGHT);
  if (p.bad !== undefined) builder.thresholds(thresholds(p.bad));
  p.queries.forEach((query, at) => builder.withTarget(target(query, at)));
  return builder;
}

export function build(board: Board): Dashboard {
  const builder = new DashboardBuilder(`Stofka: ${board.title}`)
    .uid(board.uid)
    .description(board.about)
    .tags(['stofka'])
    .refresh('10s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('utc')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .link(
      new DashboardLinkBuilder('Stofka').type(DashboardLinkType.Dashboards).tags(['stofka']).asDropdown(true),
    );
  for (const row of board.rows) {
    builder.withRow(new RowBuilder(row.title));
    row.panels.forEach((one) => builder.withPanel(panel(one)));
  }
  return builder.build();
}
