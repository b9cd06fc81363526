// SPDX-License-Identifier: Apache-2.0
import { useRef, type MouseEvent } from 'react';
import { useLanguage } from '../ui/language';
import type { TextKey } from '../ui/text';
import './help.css';

const KEYS: readonly (readonly [keys: readonly string[], text: TextKey])[] = [
  [['/'], 'helpSearch'],
  [['↑', '↓', 'j', 'k'], 'helpList'],
  [['Home', 'End'], 'helpEnds'],
  [['Enter'], 'helpEnter'],
  [['f'], 'helpFavourite'],
  [['1', '–', '9'], 'helpIntervals'],
  [['d', 'w', 'm'], 'helpLong'],
  [['g'], 'goTo'],
  [['s'], 'helpDrawing'],
  [['Delete', 'Ctrl+Z'], 'helpDrawingDone'],
  [[','], 'helpSettings'],
  [['?'], 'helpHelp'],
];

/** The browser's own modal dialog: it keeps the focus, and Escape closes it. */
export function Help() {
  const [, t] = useLanguage();
  const dialog = useRef<HTMLDialogElement>(null);
  const close = () => dialog.current?.close();
  const closeBeside = (event: MouseEvent) => {
    if (event.target === dialog.current) close();
  };
  return (
    <>
      <button
        type="button"
        className="icon-button help-button"
        title={`${t('help')} (?)`}
        aria-label={t('help')}
        aria-haspopup="dialog"
        onClick={() => dialog.current?.showModal()}
      >
        ?
      </button>
      <dialog ref={dialog} id="help" aria-labelledby="help-title" onClick={closeBeside}>
        <div className="help">
          <h2 id="help-title">{t('help')}</h2>
          <dl>
            {KEYS.map(([keys, text]) => (
              <div key={text}>
                <dt>{keys.map((key) => (key === '–' ? ' – ' : <kbd key={key}>{key}</kbd>))}</dt>
                <dd>{t(text)}</dd>
              </div>
            ))}
          </dl>
          <button type="button" className="language help-close" onClick={close}>
            {t('done')}
          </button>
        </div>
      </dialog>
    </>
  );
}
