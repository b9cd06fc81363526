// SPDX-License-Identifier: Apache-2.0
import type { Gap } from '../api/types';
import { useLanguage } from '../ui/language';
import type { TextKey } from '../ui/text';
import { timeText } from './time-text';
import { zoneName, type Zone } from './zone';

const STATES: Record<Gap['state'], TextKey> = {
  open: 'gapOpen',
  healed: 'gapHealed',
  lost: 'gapLost',
};

/** The server's words for why; others are shown as they come. */
const REASONS: Record<string, TextKey> = {
  disconnected: 'gapDisconnected',
  stalled: 'gapStalled',
  restart: 'gapRestart',
  unreadable: 'gapUnreadable',
};

interface GapNoteProps {
  readonly gap: Gap;
  readonly zone: Zone;
}

/** What is known of the gap under the pointer. */
export function GapNote({ gap, zone }: GapNoteProps) {
  const [, t] = useLanguage();
  const from = timeText('1s', gap.from / 1000, zone);
  const to = gap.to === null ? '…' : timeText('1s', gap.to / 1000, zone);
  const sameDay = to.slice(0, 10) === from.slice(0, 10);
  const reason = REASONS[gap.reason];
  return (
    <p className={`gap-note gap-${gap.state}`}>
      <b>{t(STATES[gap.state])}</b> {from} – {sameDay ? to.slice(11) : to}{' '}
      {zoneName(zone, gap.from / 1000)} · {reason ? t(reason) : gap.reason}
    </p>
  );
}
