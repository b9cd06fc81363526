// SPDX-License-Identifier: Apache-2.0
import { setLanguage, useLanguage } from '../ui/language';
import { COLOURS, setColours, setTheme, THEMES, useLook } from '../ui/look';
import { LANGUAGES, type Language, type TextKey } from '../ui/text';
import './settings-panel.css';

const OWN_NAMES: Record<Language, string> = { ko: '한국어', en: 'English' };

interface ChoiceProps<T extends string> {
  readonly name: string;
  readonly title: TextKey;
  readonly choices: readonly T[];
  readonly chosen: T;
  readonly textOf: (choice: T) => string;
  readonly onChoose: (choice: T) => void;
}

function Choice<T extends string>(props: ChoiceProps<T>) {
  const { name, title, choices, chosen, textOf, onChoose } = props;
  const [, t] = useLanguage();
  return (
    <fieldset className="choice">
      <legend>{t(title)}</legend>
      {choices.map((choice) => (
        <label key={choice}>
          <input
            type="radio"
            name={name}
            value={choice}
            checked={choice === chosen}
            onChange={() => onChoose(choice)}
          />
          <span>{textOf(choice)}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** The browser's own popover: Escape and a click beside it close it, and focus goes back. */
export function SettingsPanel() {
  const [language, t] = useLanguage();
  const { theme, colours } = useLook();
  return (
    <>
      <button
        type="button"
        className="icon-button settings-button"
        popoverTarget="settings"
        title={t('settings')}
        aria-label={t('settings')}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M2 4.5h7M13 4.5h1M2 11.5h1M7 11.5h7" />
          <circle cx="11" cy="4.5" r="2" />
          <circle cx="5" cy="11.5" r="2" />
        </svg>
      </button>
      <div
        id="settings"
        className="settings"
        popover="auto"
        role="dialog"
        aria-label={t('settings')}
      >
        <Choice
          name="theme"
          title="theme"
          choices={THEMES}
          chosen={theme}
          textOf={(choice) => t(`theme.${choice}`)}
          onChoose={setTheme}
        />
        <Choice
          name="colours"
          title="colours"
          choices={COLOURS}
          chosen={colours}
          textOf={(choice) => t(`colours.${choice}`)}
          onChoose={setColours}
        />
        <Choice
          name="language"
          title="languageChoice"
          choices={LANGUAGES}
          chosen={language}
          textOf={(choice) => OWN_NAMES[choice]}
          onChoose={setLanguage}
        />
      </div>
    </>
  );
}
