// SPDX-License-Identifier: Apache-2.0
import type { FormEvent, RefObject } from 'react';
import { useLanguage } from '../ui/language';
import type { ChartFrame } from './chart-frame';
import { COLOURS, MOST_TEXT } from './drawing';
import type { DrawingDesk } from './drawing-desk';
import { useDesk } from './drawer';

interface NoteFieldProps {
  readonly desk: DrawingDesk;
  readonly frame: ChartFrame;
  readonly onDone: () => void;
}

function NoteField({ desk, frame, onDone }: NoteFieldProps) {
  const [, t] = useLanguage();
  const { writing } = desk.state;
  const anchor = writing?.anchors[0];
  const place = anchor && frame.drawer.layer.place(anchor);
  if (!writing || !place) return null;
  const done = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const text = new FormData(event.currentTarget).get('note');
    desk.written(typeof text === 'string' ? text.trim() : '');
    onDone();
  };
  return (
    <form
      className="note-field"
      style={{ left: Math.min(place.x, frame.drawer.layer.size.width - 200), top: place.y - 16 }}
      onSubmit={done}
    >
      <input
        name="note"
        // The reader has just said that they want to write here.
        ref={(input) => input?.focus()}
        defaultValue={writing.text}
        maxLength={MOST_TEXT}
        placeholder={t('noteHint')}
        aria-label={t('note')}
        autoComplete="off"
        onKeyDown={(event) => {
          if (event.key === 'Escape') desk.select(writing.text ? writing.id : null);
        }}
        onBlur={(event) => event.currentTarget.form?.requestSubmit()}
      />
    </form>
  );
}

function Selected({ desk, onDone }: { readonly desk: DrawingDesk; readonly onDone: () => void }) {
  const [, t] = useLanguage();
  const { selected } = desk;
  if (!selected) return null;
  return (
    <div className="drawing-panel" role="toolbar" aria-label={t(selected.kind)}>
      {COLOURS.map((colour, at) => (
        <button
          key={colour}
          type="button"
          aria-label={t('colourOf', { n: at + 1 })}
          aria-pressed={at === selected.colour}
          onClick={() => desk.paint(at)}
        >
          <i style={{ background: colour }} />
        </button>
      ))}
      {selected.kind === 'note' && (
        <button type="button" data-draw="write" onClick={() => desk.write()}>
          {t('writeNote')}
        </button>
      )}
      <button
        type="button"
        data-draw="remove"
        aria-label={t('removeDrawing')}
        title={`${t('removeDrawing')} (Delete)`}
        onClick={() => {
          desk.remove();
          onDone();
        }}
      >
        <svg viewBox="0 0 20 20" aria-hidden="true">
          <path d="M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6" />
        </svg>
      </button>
    </div>
  );
}

interface DrawingPanelProps {
  readonly frame: ChartFrame | null;
  readonly host: RefObject<HTMLDivElement | null>;
}

/** What can be done with the selected drawing, and what is said of the tool in hand. */
export function DrawingPanel({ frame, host }: DrawingPanelProps) {
  const [, t] = useLanguage();
  const { tool, writing } = useDesk(frame?.drawer);
  if (!frame) return null;
  const { desk } = frame.drawer;
  const focus = () => host.current?.focus();
  return (
    <>
      {writing && <NoteField key={writing.id} desk={desk} frame={frame} onDone={focus} />}
      <Selected desk={desk} onDone={focus} />
      <p className="drawing-hint" role="status">
        {tool && t(tool === 'level' || tool === 'note' ? 'drawOne' : 'drawTwo', { name: t(tool) })}
      </p>
    </>
  );
}
