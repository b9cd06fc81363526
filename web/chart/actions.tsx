// SPDX-License-Identifier: Apache-2.0
import { useLanguage } from '../ui/language';
import type { ChartFeed } from './chart-feed';
import type { ChartFrame } from './chart-frame';
import { saveCsv, savePicture } from './export';
import { GoTo } from './go-to';
import type { Navigation } from './navigation';

interface ActionsProps {
  readonly feed: ChartFeed;
  readonly frame: ChartFrame | null;
  readonly navigation: Navigation | null;
  readonly interval: string;
  readonly title: string;
}

/** What can be done with the chart at once. */
export function Actions({ feed, frame, navigation, interval, title }: ActionsProps) {
  const [, t] = useLanguage();
  if (!frame || !navigation) return null;
  return (
    <>
      <button type="button" aria-label={t('zoomOut')} onClick={() => navigation.zoom(-1)}>
        −
      </button>
      <button type="button" aria-label={t('zoomIn')} onClick={() => navigation.zoom(1)}>
        +
      </button>
      <GoTo interval={interval} onGo={(time) => navigation.goTo(time)} />
      <button
        type="button"
        data-tool="picture"
        aria-label={t('picture')}
        title={t('picture')}
        onClick={() => savePicture(feed, frame, title)}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M2 5h3l1-1.5h4L11 5h3v8H2zM8 11.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.400" />
        </svg>
      </button>
      <button
        type="button"
        data-tool="csv"
        aria-label={t('csv')}
        title={t('csvHint')}
        onClick={() => saveCsv(feed, frame)}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11" />
        </svg>
      </button>
    </>
  );
}
