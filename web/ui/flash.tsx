// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef } from 'react';
import './flash.css';

const FADE = { duration: 700, easing: 'ease-out' };
const still = matchMedia('(prefers-reduced-motion: reduce)');

interface FlashProps {
  readonly value: string;
  /** Positive when `next` is above `before`. */
  readonly direction: (next: string, before: string) => number;
  readonly className: string;
  readonly children: string;
}

/**
 * Text behind which a light goes on and fades when its value moves. Only the light's opacity is
 * animated, which the compositor does alone: the page itself has nothing to do for it.
 */
export function Flash({ value, direction, className, children }: FlashProps) {
  const light = useRef<HTMLElement>(null);
  const fading = useRef<Animation>(null);
  const shown = useRef(value);

  useEffect(() => {
    const before = shown.current;
    const { current } = light;
    shown.current = value;
    if (before === value || still.matches || !current) return;
    current.style.background =
      direction(value, before) > 0 ? 'var(--rise-glow)' : 'var(--fall-glow)';
    fading.current?.cancel();
    fading.current = current.animate([{ opacity: 1 }, { opacity: 0 }], FADE);
  }, [value, direction]);

  return (
    <span className={`flash ${className}`}>
      <i ref={light} className="flash-light" aria-hidden="true" />
      {children}
    </span>
  );
}
