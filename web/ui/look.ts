// SPDX-License-Identifier: Apache-2.0
// How the page looks: theme and colours of rise and fall. The style sheet reads both from <html>.
import { useSyncExternalStore } from 'react';
import { keep, kept } from './kept';

export const THEMES = ['system', 'dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];

/** Korean: red rises, blue falls. Western: green rises, red falls. */
export const COLOURS = ['korean', 'western'] as const;
export type Colours = (typeof COLOURS)[number];

export interface Look {
  readonly theme: Theme;
  readonly colours: Colours;
  /** What `system` comes to at the moment. */
  readonly shown: 'dark' | 'light';
}

const light = matchMedia('(prefers-color-scheme: light)');
const listeners = new Set<() => void>();

export function lookOf(theme: Theme, colours: Colours, systemIsLight: boolean): Look {
  const system = systemIsLight ? 'light' : 'dark';
  return { theme, colours, shown: theme === 'system' ? system : theme };
}

let current = lookOf(
  kept('theme', THEMES) ?? 'system',
  kept('colours', COLOURS) ?? 'korean',
  light.matches,
);

function apply(next: Look): void {
  current = next;
  const { dataset } = document.documentElement;
  dataset['theme'] = next.shown;
  dataset['colours'] = next.colours;
  for (const listener of listeners) listener();
}

apply(current);
light.addEventListener('change', () => {
  apply(lookOf(current.theme, current.colours, light.matches));
});

export function setTheme(theme: Theme): void {
  keep('theme', theme);
  apply(lookOf(theme, current.colours, light.matches));
}

export function setColours(colours: Colours): void {
  keep('colours', colours);
  apply(lookOf(current.theme, colours, light.matches));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function useLook(): Look {
  return useSyncExternalStore(subscribe, () => current);
}
