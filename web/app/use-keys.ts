// SPDX-License-Identifier: Apache-2.0
import { useEffect } from 'react';
import type { Interval } from '../api/types';
import { keyOf } from '../ui/key';
import { commandOf } from './keys';

const TYPING = 'input, textarea, select, [contenteditable]';

function focus(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus();
}

/** Keys that are someone else's: a field's, a dialog's, the browser's. */
function taken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.isComposing) return true;
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  if (document.querySelector('dialog[open], :popover-open')) return true;
  return event.target instanceof Element && event.target.closest(TYPING) !== null;
}

/** The keys that work wherever nothing is being typed and no dialog is open. */
export function useKeys(show: (interval: Interval) => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const command = taken(event) ? null : commandOf(keyOf(event));
      if (command === null) return;
      event.preventDefault();
      if (command === 'search') focus('.search input');
      else if (command === 'list') focus('.row[tabindex="0"]');
      else if (command === 'settings') document.getElementById('settings')?.showPopover();
      else if (command === 'goTo') document.querySelector<HTMLElement>('[data-tool=goTo]')?.click();
      else if (command === 'help') document.querySelector<HTMLDialogElement>('#help')?.showModal();
      else show(command);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [show]);
}
