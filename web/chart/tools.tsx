// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react';
import { useLanguage } from '../ui/language';
import type { TextKey } from '../ui/text';
import { useChoices, useChoose } from './choices';
import { KINDS } from './kinds';
import { SCALES } from './theme';
import './tools.css';
import { ZONES } from './zone';

interface PickProps<T extends TextKey> {
  readonly name: TextKey;
  readonly values: readonly T[];
  readonly value: T;
  readonly disabled?: boolean;
  readonly onPick: (value: T) => void;
}

function Pick<T extends TextKey>({ name, values, value, disabled, onPick }: PickProps<T>) {
  const [, t] = useLanguage();
  return (
    <select
      data-tool={name}
      aria-label={t(name)}
      title={t(name)}
      value={value}
      disabled={disabled}
      onChange={(event) => onPick(event.target.value as T)}
    >
      {values.map((one) => (
        <option key={one} value={one}>
          {t(one)}
        </option>
      ))}
    </select>
  );
}

/** How the chart looks; what else it can do comes from the caller. */
export function Tools({ children }: { readonly children?: ReactNode }) {
  const [, t] = useLanguage();
  const { kind, scale, zone, healed, beside, vs } = useChoices();
  const choose = useChoose();
  return (
    <div className="tools" role="toolbar" aria-label={t('tools')}>
      <Pick name="kind" values={KINDS} value={kind} onPick={(next) => choose({ kind: next })} />
      <Pick
        name="scale"
        values={SCALES}
        value={vs ? 'percent' : scale}
        disabled={vs !== ''}
        onPick={(next) => choose({ scale: next })}
      />
      <Pick name="zone" values={ZONES} value={zone} onPick={(next) => choose({ zone: next })} />
      <button
        type="button"
        data-tool="healed"
        aria-pressed={healed === 'shown'}
        title={t('healedHint')}
        onClick={() => choose({ healed: healed === 'shown' ? 'hidden' : 'shown' })}
      >
        {t('healed')}
      </button>
      <button
        type="button"
        data-tool="beside"
        aria-pressed={beside === 'shown'}
        title={t('besideHint')}
        onClick={() => choose({ beside: beside === 'shown' ? 'hidden' : 'shown' })}
      >
        {t('beside')}
      </button>
      {children}
    </div>
  );
}
