// SPDX-License-Identifier: Apache-2.0
// What is looked at lives in the address, so that a link carries it.
import { isInterval } from '../api/interval';
import type { Interval } from '../api/types';

export interface Place {
  readonly code: string;
  readonly interval: Interval;
}

const CODE = /^[A-Z0-9]+-[A-Z0-9]+$/;
const HOME: Place = { code: 'KRW-BTC', interval: '1s' };

export function readPlace(query: string): Place {
  const parameters = new URLSearchParams(query);
  const code = parameters.get('code') ?? '';
  const interval = parameters.get('interval') ?? '';
  return {
    code: CODE.test(code) ? code : HOME.code,
    interval: isInterval(interval) ? interval : HOME.interval,
  };
}

export function writePlace({ code, interval }: Place): string {
  return `?code=${code}&interval=${interval}`;
}
