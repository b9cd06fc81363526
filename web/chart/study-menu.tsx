// SPDX-License-Identifier: Apache-2.0
import { useLanguage } from '../ui/language';
import { useChoices, useChoose } from './choices';
import { PopUp } from './pop-up';
import {
  fits,
  initialStudy,
  MOST_STUDIES,
  PARAMETERS,
  STUDY_KINDS,
  studyText,
  type Study,
  type StudyKind,
} from './study';
import './study-menu.css';

const WIDTH = 380;

interface StudyRowProps {
  readonly study: Study;
  readonly onChange: (study: Study | null) => void;
}

function StudyRow({ study, onChange }: StudyRowProps) {
  const [, t] = useLanguage();
  const change = (at: number, text: string) => {
    const value = Number(text);
    const parameter = PARAMETERS[study.kind][at];
    if (!parameter || !fits(parameter, value)) return;
    onChange({ ...study, values: study.values.map((old, n) => (n === at ? value : old)) });
  };
  return (
    <li data-study={studyText(study)}>
      <b>{t(study.kind)}</b>
      {PARAMETERS[study.kind].map(({ name, least, most, step }, at) => (
        <label key={name}>
          {t(name)}
          <input
            type="number"
            min={least}
            max={most}
            step={step}
            defaultValue={study.values[at]}
            onChange={(event) => change(at, event.target.value)}
          />
        </label>
      ))}
      <button
        type="button"
        aria-label={t('removeStudy', { name: t(study.kind) })}
        onClick={() => onChange(null)}
      >
        ×
      </button>
    </li>
  );
}

/** Another one of a kind starts with the first parameters that are still free. */
function another(kind: StudyKind, studies: readonly Study[]): Study {
  const taken = new Set(studies.map(studyText));
  let next = initialStudy(kind);
  while (taken.has(studyText(next))) {
    const [first = 1, ...rest] = next.values;
    next = { kind, values: [first + 10, ...rest] };
  }
  return next;
}

export function StudyMenu() {
  const [, t] = useLanguage();
  const { studies } = useChoices();
  const choose = useChoose();
  const change = (at: number, study: Study | null) => {
    if (study && studies.some((other) => studyText(other) === studyText(study))) return;
    const next = studies.flatMap((old, n) => (n === at ? (study ?? []) : old));
    choose({ studies: next });
  };
  return (
    <PopUp
      tool="studies"
      width={WIDTH}
      className="study-menu"
      face={t('studies') + (studies.length > 0 ? ` (${String(studies.length)})` : '')}
    >
      <ul>
        {studies.map((study, at) => (
          // By place: a row stays the same while its figures are typed.
          <StudyRow
            key={`${String(at)}${study.kind}${String(studies.length)}`}
            study={study}
            onChange={(next) => change(at, next)}
          />
        ))}
      </ul>
      <p>{t('addStudy')}</p>
      {STUDY_KINDS.map((kind) => (
        <button
          key={kind}
          type="button"
          data-add={kind}
          disabled={studies.length >= MOST_STUDIES}
          onClick={() => choose({ studies: [...studies, another(kind, studies)] })}
        >
          {t(kind)}
        </button>
      ))}
    </PopUp>
  );
}
