// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef } from 'react';

const DURATION_MS = 700;
const still = matchMedia('(prefers-reduced-motion: reduce)');

interface FlashProps {
  readonly value: string;
  /** Positive when `next` is above `before`. */
  readonly direction: (next: string, before: string) => number;
  readonly className: string;
  readonly children: string;
}

/** Text behind which a light goes on and fades when its value moves. */
export function Flash({ value, direction, className, children }: FlashProps) {
  const element = useRef<HTMLSpanElement>(null);
  const shown = useRef(value);

  useEffect(() => {
    const before = shown.current;
    shown.current = value;
    if (before === value || still.matches) return;
    const colour = direction(value, before) > 0 ? 'var(--rise-glow)' : 'var(--fall-glow)';
    element.current?.animate([{ backgroundColor: colour }, { backgroundColor: 'transparent' }], {
      duration: DURATION_MS,
      easing: 'ease-out',
    });
  }, [value, direction]);

  return (
    <span ref={element} className={className}>
      {children}
    </span>
  );
}
