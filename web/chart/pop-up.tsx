// SPDX-License-Identifier: Apache-2.0
import { useId, useState, type ReactNode } from 'react';

/** Room kept free between what opens and the window's edges. */
const EDGE_PX = 8;

interface PopUpProps {
  /** What tests and style sheets call the button. */
  readonly tool: string;
  /** Its name, where its face is none. */
  readonly label?: string;
  readonly face: ReactNode;
  /** Of what opens, px. */
  readonly width: number;
  readonly className?: string;
  readonly children: ReactNode;
}

/** A button of the toolbar, and what opens beneath it. The first field there takes the focus. */
export function PopUp({ tool, label, face, width, className = '', children }: PopUpProps) {
  const id = useId();
  const [place, setPlace] = useState({ left: 0, top: 0 });
  return (
    <>
      <button
        type="button"
        data-tool={tool}
        aria-label={label}
        title={label}
        popoverTarget={id}
        onClick={(event) => {
          const { left, bottom } = event.currentTarget.getBoundingClientRect();
          const most = innerWidth - width - EDGE_PX;
          setPlace({ left: Math.max(EDGE_PX, Math.min(left, most)), top: bottom + 4 });
        }}
      >
        {face}
      </button>
      <div
        id={id}
        popover="auto"
        className={`pop-up ${className}`}
        style={{ ...place, width }}
        onToggle={(event) => {
          if (event.newState === 'open') event.currentTarget.querySelector('input')?.focus();
        }}
      >
        {children}
      </div>
    </>
  );
}
