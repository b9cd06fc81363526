// SPDX-License-Identifier: Apache-2.0
import { useCallback, useState, useSyncExternalStore } from 'react';
import { useLanguage } from '../ui/language';
import type { Board } from './board';
import './board.css';
import type { ChartFeed } from './chart-feed';
import { ChartView } from './chart-view';
import type { View } from './place';

interface BoardViewProps {
  readonly board: Board;
  readonly tickOf: (code: string) => string | null;
  /** Changes when all colours do: the charts are then made anew. */
  readonly look: string;
}

/** The charts, and the tools of the one that has the focus. */
export function BoardView({ board, tickOf, look }: BoardViewProps) {
  const { slots, focused } = useSyncExternalStore(board.state.subscribe, board.state.get);
  const [tools, setTools] = useState<HTMLElement | null>(null);
  const [rail, setRail] = useState<HTMLElement | null>(null);
  const [open, setOpen] = useState(false);
  const [, t] = useLanguage();
  const moved = useCallback((feed: ChartFeed, view: View) => board.moved(feed, view), [board]);
  return (
    <>
      <div className="tools-row">
        <div ref={setTools} className="tools-place" />
        <button
          type="button"
          className="rail-toggle"
          aria-pressed={open}
          aria-label={t('drawings')}
          title={t('drawings')}
          onClick={() => setOpen(!open)}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="m3 13 .7-3L11 2.7l2.3 2.3L6 12.3zM9.5 4.2l2.3 2.3" />
          </svg>
        </button>
      </div>
      <div className="stage">
        <div ref={setRail} className="rail" data-open={open} />
        <div className="board" data-layout={slots.length}>
          {slots.map(({ feed, choosing }, at) => (
            <section
              key={`${String(at)} ${look}`}
              className="pane"
              data-focused={slots.length > 1 && at === focused}
              onPointerDownCapture={() => board.focus(at)}
              onFocusCapture={() => board.focus(at)}
            >
              <ChartView
                feed={feed}
                choosing={choosing}
                tickOf={tickOf}
                tools={at === focused ? tools : null}
                rail={at === focused ? rail : null}
                named={slots.length > 1}
                onView={moved}
              />
            </section>
          ))}
        </div>
      </div>
    </>
  );
}
