// SPDX-License-Identifier: Apache-2.0
import { useSyncExternalStore } from 'react';
import { LANGUAGES, preferredLanguage, translator, type Language, type Translate } from './text';

const KEY = 'stofka.language';

function stored(): Language | undefined {
  try {
    const text = localStorage.getItem(KEY);
    return LANGUAGES.find((language) => language === text);
  } catch {
    return undefined; // storage may be forbidden
  }
}

let current: Language = stored() ?? preferredLanguage(navigator.languages);
let translate: Translate = translator(current);
const listeners = new Set<() => void>();

export function setLanguage(language: Language): void {
  current = language;
  translate = translator(language);
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // the choice then lasts as long as the tab
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function useLanguage(): [Language, Translate] {
  const language = useSyncExternalStore(subscribe, () => current);
  return [language, translate];
}
