// SPDX-License-Identifier: Apache-2.0
import type { Connection } from '../api/live';
import type { Gap, Source } from '../api/types';
import type { Tone } from '../ui/badge';
import type { TextKey } from '../ui/text';

export interface Standing {
  readonly name: 'connecting' | 'live' | 'stale' | 'down' | 'kept' | 'reconnecting' | 'offline';
  readonly tone: Tone;
  readonly text: TextKey;
  readonly hint: TextKey;
  /** Said across the page when nothing can be live. */
  readonly notice: TextKey | null;
}

const STANDINGS: Record<Standing['name'], Standing> = {
  connecting: {
    name: 'connecting',
    tone: 'quiet',
    text: 'connecting',
    hint: 'liveHint',
    notice: null,
  },
  live: { name: 'live', tone: 'good', text: 'live', hint: 'liveHint', notice: null },
  stale: { name: 'stale', tone: 'warn', text: 'stale', hint: 'staleHint', notice: null },
  down: { name: 'down', tone: 'bad', text: 'down', hint: 'downNotice', notice: 'downNotice' },
  kept: { name: 'kept', tone: 'note', text: 'kept', hint: 'keptHint', notice: null },
  reconnecting: {
    name: 'reconnecting',
    tone: 'warn',
    text: 'reconnecting',
    hint: 'reconnectingHint',
    notice: null,
  },
  offline: {
    name: 'offline',
    tone: 'bad',
    text: 'offline',
    hint: 'offlineNotice',
    notice: 'offlineNotice',
  },
};

/** What the page may claim: our own line first, then what the server says of the exchange. */
export function standingOf({ link, exchange }: Connection): Standing {
  if (link === 'unreachable') return STANDINGS.offline;
  if (exchange === 'down') return STANDINGS.down;
  if (link === 'reconnecting') return STANDINGS.reconnecting;
  if (exchange === 'none') return STANDINGS.kept;
  if (link === 'connecting' || exchange === null) return STANDINGS.connecting;
  return exchange === 'stale' ? STANDINGS.stale : STANDINGS.live;
}

export interface Origin {
  readonly tone: Tone;
  readonly text: TextKey;
  readonly hint: TextKey;
}

const ORIGINS: Record<Source, Origin> = {
  simulated: { tone: 'warn', text: 'simulated', hint: 'simulatedHint' },
  replay: { tone: 'note', text: 'replay', hint: 'replayHint' },
  imported: { tone: 'note', text: 'imported', hint: 'importedHint' },
  upbit: { tone: 'good', text: 'upbit', hint: 'upbitHint' },
};

/** What is kept came from there, but is not live. */
const KEPT: Origin = { tone: 'note', text: 'upbit', hint: 'upbitKeptHint' };

/** Whose data it is; null until that is known. */
export function originOf({ source, exchange }: Connection): Origin | null {
  if (source === 'upbit' && exchange === 'none') return KEPT;
  return source && ORIGINS[source];
}

export function hasOpenGap(gaps: readonly Gap[] | undefined): boolean {
  return gaps?.some((gap) => gap.state === 'open') ?? false;
}
