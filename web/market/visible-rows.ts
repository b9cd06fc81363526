// SPDX-License-Identifier: Apache-2.0
// Which rows of a long list are worth having: those in sight and a few around them.
import { useCallback, useEffect, useRef, useState, type RefObject } from 'react';

export const ROW_PX = 46;
const AROUND = 3;
/** Rows are added and taken away in groups, not at every pixel. */
const STEP = 4;

export interface Span {
  readonly first: number;
  /** Exclusive. */
  readonly end: number;
}

export function spanOf(top: number, height: number, count: number): Span {
  const first = Math.floor(top / ROW_PX / STEP) * STEP - AROUND;
  const end = Math.ceil((top + height) / ROW_PX / STEP) * STEP + AROUND;
  return { first: Math.max(0, Math.min(first, count)), end: Math.max(0, Math.min(end, count)) };
}

/** Where to scroll so that row `index` is in sight; null when it is. */
export function scrollFor(index: number, top: number, height: number): number | null {
  const start = index * ROW_PX;
  if (start < top) return start;
  return start + ROW_PX > top + height ? start + ROW_PX - height : null;
}

export interface VisibleRows extends Span {
  readonly host: RefObject<HTMLDivElement | null>;
  readonly onScroll: () => void;
  readonly reveal: (index: number) => void;
}

export function useVisibleRows(count: number): VisibleRows {
  const host = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ top: 0, height: 1000 });

  const measure = useCallback(() => {
    const { current } = host;
    if (!current) return;
    const { scrollTop: top, clientHeight: height } = current;
    setPlace((held) => {
      const [a, b] = [spanOf(held.top, held.height, 1e6), spanOf(top, height, 1e6)];
      return a.first === b.first && a.end === b.end ? held : { top, height };
    });
  }, []);

  useEffect(() => {
    if (!host.current) return;
    const observer = new ResizeObserver(measure);
    observer.observe(host.current);
    return () => observer.disconnect();
  }, [measure]);

  const reveal = useCallback(
    (index: number) => {
      const { current } = host;
      const top = current && scrollFor(index, current.scrollTop, current.clientHeight);
      if (!current || top === null) return;
      current.scrollTop = top;
      measure();
    },
    [measure],
  );

  return { ...spanOf(place.top, place.height, count), host, onScroll: measure, reveal };
}
