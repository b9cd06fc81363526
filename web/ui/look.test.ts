// SPDX-License-Identifier: Apache-2.0
// @vitest-environment node
import { beforeEach, expect, test, vi } from 'vitest';

const kept = new Map<string, string>();
let systemChanged: () => void;
let system: { matches: boolean };

beforeEach(() => {
  vi.resetModules();
  kept.clear();
  system = { matches: false };
  vi.stubGlobal('document', { documentElement: { dataset: {} } });
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, text: string) => void kept.set(name, text),
  });
  vi.stubGlobal('matchMedia', () => ({
    get matches() {
      return system.matches;
    },
    addEventListener: (_: string, listener: () => void) => (systemChanged = listener),
  }));
});

const onPage = () => document.documentElement.dataset;

test('follows the system until a theme is chosen, and again when it is given back', async () => {
  const { setTheme } = await import('./look');
  expect(onPage()).toEqual({ theme: 'dark', colours: 'korean' });
  system.matches = true;
  systemChanged();
  expect(onPage()['theme']).toBe('light');
  setTheme('dark');
  systemChanged();
  expect(onPage()['theme']).toBe('dark');
  setTheme('system');
  expect(onPage()['theme']).toBe('light');
});

test('choices are there again; nonsense in the store is not', async () => {
  kept.set('stofka.theme', 'light');
  kept.set('stofka.colours', 'purple');
  const { setColours } = await import('./look');
  expect(onPage()).toEqual({ theme: 'light', colours: 'korean' });
  setColours('western');
  expect(kept.get('stofka.colours')).toBe('western');
});

test('without storage choices last as long as the tab', async () => {
  vi.stubGlobal('localStorage', undefined);
  const { setColours } = await import('./look');
  setColours('western');
  expect(onPage()['colours']).toBe('western');
});
