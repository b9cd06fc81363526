// SPDX-License-Identifier: Apache-2.0
// How the reader wants charts to look. Kept in the browser, and in the address so that a link
// carries it; the address wins.
import { useSyncExternalStore } from 'react';
import { KINDS, type Kind } from './kinds';
import { readStudies, studiesText, type Study } from './study';
import { SCALES, type Scale } from './theme';
import { ZONES, type Zone } from './zone';

const HEALED = ['shown', 'hidden'] as const;
type Healed = (typeof HEALED)[number];

export interface Choices {
  readonly zone: Zone;
  readonly kind: Kind;
  readonly scale: Scale;
  /** Whether gaps that were filled later are still shaded. */
  readonly healed: Healed;
  readonly studies: readonly Study[];
}

type Field = keyof Choices;
type Read<T> = (text: string) => T | undefined;

interface Rule<T> {
  readonly initial: T;
  readonly read: Read<T>;
  readonly write: (value: T) => string;
}

function oneOf<T extends string>(values: readonly T[]): Rule<T> {
  return {
    initial: values[0] as T,
    read: (text) => values.find((value) => value === text),
    write: (value) => value,
  };
}

const RULES: { readonly [F in Field]: Rule<Choices[F]> } = {
  zone: oneOf(ZONES),
  kind: oneOf(KINDS),
  scale: oneOf(SCALES),
  healed: oneOf(HEALED),
  studies: { initial: [], read: readStudies, write: studiesText },
};

const FIELDS = Object.keys(RULES) as Field[];
const KEY = 'stofka.chart';

/** Reads what is there and sensible; later sources win. */
export function readChoices(...sources: readonly URLSearchParams[]): Choices {
  const read = <F extends Field>(field: F): Choices[F] => {
    const rule: Rule<Choices[F]> = RULES[field];
    return sources.reduce<Choices[F]>((held, source) => {
      const text = source.get(field);
      return (text === null ? undefined : rule.read(text)) ?? held;
    }, rule.initial);
  };
  return Object.fromEntries(FIELDS.map((field) => [field, read(field)])) as unknown as Choices;
}

/** Only what differs from the usual. */
export function writeChoices(choices: Choices, into = new URLSearchParams()): URLSearchParams {
  const write = <F extends Field>(field: F) => {
    const rule: Rule<Choices[F]> = RULES[field];
    const text = rule.write(choices[field]);
    if (text === rule.write(rule.initial)) into.delete(field);
    else into.set(field, text);
  };
  FIELDS.forEach(write);
  return into;
}

function stored(): URLSearchParams {
  try {
    return new URLSearchParams(localStorage.getItem(KEY) ?? '');
  } catch {
    return new URLSearchParams(); // storage may be forbidden
  }
}

function address(): URLSearchParams {
  return new URLSearchParams(typeof location === 'undefined' ? '' : location.search);
}

let current = readChoices(stored(), address());
const listeners = new Set<() => void>();

export function choose(change: Partial<Choices>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(KEY, writeChoices(current).toString());
  } catch {
    // the choice then lasts as long as the tab
  }
  history.replaceState(null, '', `?${writeChoices(current, address()).toString()}`);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function useChoices(): Choices {
  return useSyncExternalStore(subscribe, () => current);
}

/** What a link to another market adds: "" or "&zone=utc…". */
export function choicesInLink(): string {
  const text = writeChoices(current).toString();
  return text && `&${text}`;
}
