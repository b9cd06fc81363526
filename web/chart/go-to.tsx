// SPDX-License-Identifier: Apache-2.0
import { useId, useState, type FormEvent } from 'react';
import { useLanguage } from '../ui/language';
import { useChoices } from './choices';
import { PopUp } from './pop-up';
import { isIntraday, zoneTime } from './zone';

const WIDTH = 300;

const CALENDAR = (
  <svg viewBox="0 0 16 16" aria-hidden="true">
    <path d="M2.5 3.5h11v10h-11zM2.5 6.5h11M5.5 1.8v3M10.5 1.8v3" />
  </svg>
);

interface GoToProps {
  readonly interval: string;
  /** False when there is nothing of that time. */
  readonly onGo: (time: number) => Promise<boolean>;
}

/** A date, with a time where candles are shorter than days; Enter goes there. */
export function GoTo({ interval, onGo }: GoToProps) {
  const [, t] = useLanguage();
  const { zone } = useChoices();
  const [none, setNone] = useState(false);
  const id = useId();
  const intraday = isIntraday(interval);
  const go = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const text = new FormData(form).get('time');
    const time = zoneTime(intraday ? zone : 'utc', typeof text === 'string' ? text : '');
    if (time === null) return;
    const found = await onGo(time);
    setNone(!found);
    if (found) form.closest<HTMLElement>('[popover]')?.hidePopover();
  };
  return (
    <PopUp tool="goTo" label={`${t('goTo')} (g)`} face={CALENDAR} width={WIDTH}>
      <form className="go-to" onSubmit={(event) => void go(event)}>
        <input
          key={String(intraday)}
          type={intraday ? 'datetime-local' : 'date'}
          name="time"
          aria-label={t('goTo')}
          aria-describedby={id}
          step={interval === '1s' ? 1 : undefined}
          onChange={() => setNone(false)}
        />
        <button type="submit" className="pop-up-go">
          {t('go')}
        </button>
        <span id={id} role="status">
          {none && t('noneThen')}
        </span>
      </form>
    </PopUp>
  );
}
