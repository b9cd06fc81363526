// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react';
import './badge.css';

export type Tone = 'good' | 'warn' | 'bad' | 'note' | 'quiet';

interface BadgeProps {
  readonly tone: Tone;
  readonly hint: string;
  readonly name: string;
  readonly solid?: boolean;
  readonly children: ReactNode;
}

export function Badge({ tone, hint, name, solid = false, children }: BadgeProps) {
  return (
    <span
      className={`badge badge-${tone}${solid ? ' badge-solid' : ''}`}
      title={hint}
      data-badge={name}
    >
      {!solid && <i className="badge-dot" aria-hidden="true" />}
      {children}
    </span>
  );
}
