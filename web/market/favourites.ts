// SPDX-License-Identifier: Apache-2.0
// Markets that a person marked; kept, and the same in all tabs.
import { useSyncExternalStore } from 'react';
import { keep, keptText } from '../ui/kept';

const NAME = 'favourites';
const listeners = new Set<() => void>();

export function readFavourites(text: string | null): ReadonlySet<string> {
  return new Set(text?.split(',').filter((code) => code !== ''));
}

let current = readFavourites(keptText(NAME));

function change(next: ReadonlySet<string>): void {
  current = next;
  for (const listener of listeners) listener();
}

export function toggleFavourite(code: string): void {
  const next = new Set(current);
  if (!next.delete(code)) next.add(code);
  keep(NAME, [...next].join(','));
  change(next);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function useFavourites(): ReadonlySet<string> {
  return useSyncExternalStore(subscribe, () => current);
}

// Another tab changed them.
globalThis.addEventListener?.('storage', (event) => {
  if (event.key === `stofka.${NAME}`) change(readFavourites(event.newValue));
});
