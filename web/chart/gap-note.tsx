// SPDX-License-Identifier: Apache-2.0
import type { Gap } from '../api/types';
import { useLanguage } from '../ui/language';
import type { TextKey } from '../ui/text';
import type { Repair } from './repair';
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

interface RepairNoteProps {
  readonly repair: Repair;
  readonly partial: boolean;
  readonly zone: Zone;
}

/** Why the candle under the pointer is not as it was when it closed. */
export function RepairNote({ repair: { changes, gap }, partial, zone }: RepairNoteProps) {
  const [, t] = useLanguage();
  const reason = gap && (REASONS[gap.reason] ? t(REASONS[gap.reason] as TextKey) : gap.reason);
  const span =
    gap && [gap.from, gap.to].map((at) => at && timeText('1s', at / 1000, zone).slice(11));
  return (
    <p className={`gap-note gap-${partial ? 'lost' : 'healed'} repair-note`}>
      <b>{partial ? t('partialNote') : t('repairedNote', { n: changes })}</b>{' '}
      {span
        ? `${span.map((one) => one ?? '…').join(' – ')} · ${reason ?? ''}`
        : t('repairedByExchange')}
    </p>
  );
}
