// SPDX-License-Identifier: Apache-2.0
import { useSyncExternalStore } from 'react';
import { keep, kept } from './kept';
import { LANGUAGES, preferredLanguage, translator, type Language, type Translate } from './text';

let current: Language = kept('language', LANGUAGES) ?? preferredLanguage(navigator.languages);
let translate: Translate = translator(current);
const listeners = new Set<() => void>();

export function setLanguage(language: Language): void {
  current = language;
  translate = translator(language);
  keep('language', language);
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
