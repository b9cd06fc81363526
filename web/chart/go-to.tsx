// SPDX-License-Identifier: Apache-2.0
import { useId, useState, type FormEvent } from 'react';
import { useLanguage } from '../ui/language';
import { useChoices } from './choices';
import { isIntraday, zoneTime } from './zone';

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
    const text = new FormData(event.currentTarget).get('time');
    const time = zoneTime(intraday ? zone : 'utc', typeof text === 'string' ? text : '');
    if (time !== null) setNone(!(await onGo(time)));
  };
  return (
    <form className="go-to" onSubmit={(event) => void go(event)}>
      <input
        key={String(intraday)}
        type={intraday ? 'datetime-local' : 'date'}
        name="time"
        aria-label={t('goTo')}
        title={t('goTo')}
        aria-describedby={id}
        step={interval === '1s' ? 1 : undefined}
        onChange={() => setNone(false)}
      />
      <button type="submit">{t('go')}</button>
      <span id={id} role="status">
        {none && t('noneThen')}
      </span>
    </form>
  );
}
