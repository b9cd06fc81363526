// SPDX-License-Identifier: Apache-2.0
// How the reader wants charts to look. Kept in the browser, and in the address so that a link
// carries it; the address wins.
import { createContext, useContext, useSyncExternalStore } from 'react';
import { address, changeAddress, slotName } from '../ui/address';
import { keep, keptText } from '../ui/kept';
import { KINDS, type Kind } from './kinds';
import { CODE } from './place';
import { readStudies, studiesText, type Study } from './study';
import { SCALES, type Scale } from './theme';
import { ZONES, type Zone } from './zone';

const HEALED = ['shown', 'hidden'] as const;
const BESIDE = ['hidden', 'shown'] as const;
type Healed = (typeof HEALED)[number];

export interface Choices {
  readonly zone: Zone;
  readonly kind: Kind;
  readonly scale: Scale;
  /** Whether gaps that were filled later are still shaded. */
  readonly healed: Healed;
  readonly studies: readonly Study[];
  /** The market that this one is compared with; "" for none. */
  readonly vs: string;
  /** Whether the exchange's own candles are laid over ours. */
  readonly beside: (typeof BESIDE)[number];
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
  beside: oneOf(BESIDE),
  studies: { initial: [], read: readStudies, write: studiesText },
  vs: {
    initial: '',
    read: (text) => (CODE.test(text) ? text : undefined),
    write: (code) => code,
  },
};

const FIELDS = Object.keys(RULES) as Field[];
/** The same for all charts of the page. */
const SHARED: readonly Field[] = ['zone', 'healed'];

function nameOf(field: Field, slot: number): string {
  return SHARED.includes(field) ? field : slotName(field, slot);
}

/** Reads what is there and sensible; later sources win. */
export function readChoices(slot: number, ...sources: readonly URLSearchParams[]): Choices {
  const read = <F extends Field>(field: F): Choices[F] => {
    const rule: Rule<Choices[F]> = RULES[field];
    return sources.reduce<Choices[F]>((held, source) => {
      const text = source.get(nameOf(field, slot));
      return (text === null ? undefined : rule.read(text)) ?? held;
    }, rule.initial);
  };
  return Object.fromEntries(FIELDS.map((field) => [field, read(field)])) as unknown as Choices;
}

/** Only what differs from the usual. */
export function writeChoices(
  slot: number,
  choices: Choices,
  into = new URLSearchParams(),
): URLSearchParams {
  const write = <F extends Field>(field: F) => {
    const rule: Rule<Choices[F]> = RULES[field];
    const text = rule.write(choices[field]);
    if (text === rule.write(rule.initial)) into.delete(nameOf(field, slot));
    else into.set(nameOf(field, slot), text);
  };
  FIELDS.forEach(write);
  return into;
}

const KEY = 'chart';

/** One chart's choices. */
export class Choosing {
  private static readonly all = new Set<Choosing>();
  private current: Choices;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly slot: number) {
    const stored = new URLSearchParams(keptText(KEY) ?? '');
    this.current = readChoices(slot, stored, address());
    Choosing.all.add(this);
    this.write();
  }

  /** The chart is gone; what it showed is remembered, but no longer in the address. */
  close(): void {
    Choosing.all.delete(this);
    changeAddress((parameters) => {
      for (const field of FIELDS) {
        if (!SHARED.includes(field)) parameters.delete(nameOf(field, this.slot));
      }
    });
  }

  choose(change: Partial<Choices>): void {
    const shared = Object.entries(change).filter(([field]) => SHARED.includes(field as Field));
    for (const one of Choosing.all) one.apply(one === this ? change : Object.fromEntries(shared));
  }

  readonly get = (): Choices => this.current;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  private apply(change: Partial<Choices>): void {
    if (Object.keys(change).length === 0) return;
    this.current = { ...this.current, ...change };
    this.write();
    for (const listener of this.listeners) listener();
  }

  private write(): void {
    const stored = new URLSearchParams(keptText(KEY) ?? '');
    keep(KEY, writeChoices(this.slot, this.current, stored).toString());
    changeAddress((parameters) => void writeChoices(this.slot, this.current, parameters));
  }
}

export const ChoosingContext = createContext<Choosing | null>(null);

function useChoosing(): Choosing {
  const choosing = useContext(ChoosingContext);
  if (!choosing) throw new Error('not within a chart');
  return choosing;
}

export function useChoices(): Choices {
  const { subscribe, get } = useChoosing();
  return useSyncExternalStore(subscribe, get);
}

export function useChoose(): (change: Partial<Choices>) => void {
  const choosing = useChoosing();
  return (change) => choosing.choose(change);
}
