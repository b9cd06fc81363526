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
      <button type="button" data-tool="picture" onClick={() => savePicture(feed, frame, title)}>
        {t('picture')}
      </button>
      <button
        type="button"
        data-tool="csv"
        title={t('csvHint')}
        onClick={() => saveCsv(feed, frame)}
      >
        {t('csv')}
      </button>
    </>
  );
}
