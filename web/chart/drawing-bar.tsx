// SPDX-License-Identifier: Apache-2.0
import type { MouseEvent } from 'react';
import { useLanguage } from '../ui/language';
import type { TextKey } from '../ui/text';
import { DRAWING_KINDS, type DrawingKind } from './drawing';
import './drawing.css';
import { useDesk, type Drawer } from './drawer';

const ICONS: Record<DrawingKind, string> = {
  trend:
    'M4.6 15.4 15.4 4.6M3 17a1.6 1.6 0 1 0 2-2 1.6 1.6 0 0 0-2 2M15 5a1.6 1.6 0 1 0 2-2 1.6 1.6 0 0 0-2 2',
  ray: 'M4.6 15.4 17.5 2.5M3 17a1.6 1.6 0 1 0 2-2 1.6 1.6 0 0 0-2 2M9 11a1.6 1.6 0 1 0 2-2 1.6 1.6 0 0 0-2 2',
  level: 'M2 10h6.4M11.6 10H18M8.4 10a1.6 1.6 0 1 0 3.2 0 1.6 1.6 0 1 0-3.2 0',
  box: 'M4 5h12v10H4z',
  fib: 'M3 4h14M3 8.2h14M3 11.8h14M3 16h14',
  note: 'M5 6V4.5h10V6M10 4.5v11M8 15.5h4',
};
const UNDO = 'M4 8h8a4 4 0 0 1 0 8H8M7 5 4 8l3 3';
const REDO = 'M16 8H8a4 4 0 0 0 0 8h4M13 5l3 3-3 3';
const CLEAR = 'M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6';

function Icon({ path }: { readonly path: string }) {
  return (
    <svg viewBox="0 0 20 20" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

interface ButtonProps {
  readonly name: TextKey;
  readonly path: string;
  readonly pressed?: boolean;
  readonly onPress: (byKey: boolean) => void;
}

function Button({ name, path, pressed, onPress }: ButtonProps) {
  const [, t] = useLanguage();
  return (
    <button
      type="button"
      data-draw={name}
      aria-label={t(name)}
      title={t(name)}
      aria-pressed={pressed}
      onClick={(event: MouseEvent) => onPress(event.detail === 0)}
    >
      <Icon path={path} />
    </button>
  );
}

interface DrawingBarProps {
  readonly drawer: Drawer | undefined;
  /** Gives the focus to the chart. */
  readonly onTaken: () => void;
}

/** The drawing tools of the chart that has the focus. */
export function DrawingBar({ drawer, onTaken }: DrawingBarProps) {
  const [, t] = useLanguage();
  const { tool } = useDesk(drawer);
  if (!drawer) return null;
  const { desk } = drawer;
  const take = (kind: DrawingKind, byKey: boolean) => {
    // Who can't point gets it placed, and moves it with the arrows.
    if (byKey) desk.drop(kind);
    else desk.take(tool === kind ? null : kind);
    onTaken();
  };
  return (
    <div
      className="drawing-bar"
      role="toolbar"
      aria-label={t('drawings')}
      aria-orientation="vertical"
    >
      {DRAWING_KINDS.map((kind) => (
        <Button
          key={kind}
          name={kind}
          path={ICONS[kind]}
          pressed={tool === kind}
          onPress={(byKey) => take(kind, byKey)}
        />
      ))}
      <hr />
      <Button name="undo" path={UNDO} onPress={() => desk.undo()} />
      <Button name="redo" path={REDO} onPress={() => desk.redo()} />
      <Button name="clearDrawings" path={CLEAR} onPress={() => desk.clear()} />
    </div>
  );
}
