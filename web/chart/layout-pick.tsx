// SPDX-License-Identifier: Apache-2.0
import { useLanguage } from '../ui/language';
import { LAYOUTS, type Layout } from './place';

const SHAPES: Record<Layout, string> = {
  1: 'M2 3h12v10H2z',
  2: 'M2 3h12v10H2zM8 3v10',
  4: 'M2 3h12v10H2zM8 3v10M2 8h12',
};

interface LayoutPickProps {
  readonly layout: Layout;
  readonly onPick: (layout: Layout) => void;
}

/** How many charts there are at once. */
export function LayoutPick({ layout, onPick }: LayoutPickProps) {
  const [, t] = useLanguage();
  return (
    <div className="layouts" role="group" aria-label={t('layout')}>
      {LAYOUTS.map((one) => (
        <button
          key={one}
          type="button"
          data-layout-pick={one}
          aria-pressed={one === layout}
          aria-label={t('layoutOf', { n: one })}
          title={t('layoutOf', { n: one })}
          onClick={() => onPick(one)}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d={SHAPES[one]} />
          </svg>
        </button>
      ))}
    </div>
  );
}
