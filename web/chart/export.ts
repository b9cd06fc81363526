// SPDX-License-Identifier: Apache-2.0
// The chart as a file: a picture, or the candles in view.
import type { ChartFeed } from './chart-feed';
import type { ChartFrame } from './chart-frame';
import { csvOf } from './csv';

const TITLE_PX = 13;
const MARGIN_PX = 10;

function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

function nameOf(feed: ChartFeed, ending: string): string {
  const newest = feed.series.newest;
  const { code, interval } = newest ?? feed.state.latest;
  const time = new Date((newest?.start ?? 0) * 1000).toISOString().slice(0, 19);
  return `${code}_${interval}_${time.replace(/\D/g, '')}.${ending}`;
}

/** With what it shows written on it, and where that is from: a picture travels alone. */
export function savePicture(feed: ChartFeed, frame: ChartFrame, title: string): void {
  const canvas = frame.chart.takeScreenshot(true);
  const context = canvas.getContext('2d');
  const { source } = feed.live.connection.latest;
  if (context) {
    const ratio = devicePixelRatio;
    context.font = `600 ${String(TITLE_PX * ratio)}px ${frame.palette.font}`;
    context.fillStyle = frame.palette.text;
    const text = [title, source?.toUpperCase(), 'Stofka'].filter(Boolean).join(' · ');
    context.fillText(text, MARGIN_PX * ratio, (MARGIN_PX + TITLE_PX) * ratio);
  }
  canvas.toBlob((blob) => blob && save(blob, nameOf(feed, 'png')));
}

export function saveCsv(feed: ChartFeed, frame: ChartFrame): void {
  const range = frame.chart.timeScale().getVisibleLogicalRange();
  const { bars } = frame.main;
  const first = bars[Math.max(0, Math.ceil(range?.from ?? 0))];
  const last = bars[Math.min(bars.length - 1, Math.floor(range?.to ?? 0))];
  const candles = feed.series.all.filter(
    ({ start }) => first && last && start >= first.start && start <= last.start,
  );
  save(new Blob([csvOf(candles)], { type: 'text/csv' }), nameOf(feed, 'csv'));
}
