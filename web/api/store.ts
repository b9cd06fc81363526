// SPDX-License-Identifier: Apache-2.0
// Live state outside React. A value set a hundred times between two frames is published once.
import type { Turns } from './frame';

type Listener = () => void;

export class ValueStore<T> {
  private readonly listeners = new Set<Listener>();
  private next: T;
  private published: T;

  constructor(
    private readonly turns: Turns,
    initial: T,
  ) {
    this.next = initial;
    this.published = initial;
  }

  /** The newest value, published or not. */
  get latest(): T {
    return this.next;
  }

  get = (): T => this.published;

  set(value: T): void {
    if (Object.is(value, this.next)) return;
    this.next = value;
    this.turns.request(this.publish);
  }

  subscribe = (listener: Listener): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  private readonly publish = (): void => {
    this.published = this.next;
    for (const listener of this.listeners) listener();
  };
}

/** Many values by key; a listener hears of its own key only. */
export class KeyedStore<T> {
  private readonly next = new Map<string, T>();
  private readonly published = new Map<string, T>();
  private readonly dirty = new Set<string>();
  private readonly byKey = new Map<string, Set<Listener>>();

  constructor(
    private readonly turns: Turns,
    /** It has changed who is listened to. */
    private readonly turned: () => void = () => undefined,
  ) {}

  /** Those that somebody listens to. */
  get listenedTo(): string[] {
    return [...this.byKey.keys()];
  }

  latest(key: string): T | undefined {
    return this.next.get(key);
  }

  get(key: string): T | undefined {
    return this.published.get(key);
  }

  set(key: string, value: T): void {
    this.next.set(key, value);
    this.dirty.add(key);
    this.turns.request(this.publish);
  }

  subscribe(key: string, listener: Listener): () => void {
    const known = this.byKey.get(key);
    const listeners = known ?? new Set();
    this.byKey.set(key, listeners.add(listener));
    if (!known) this.turned();
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.byKey.get(key) !== listeners) return;
      this.byKey.delete(key);
      this.turned();
    };
  }

  private readonly publish = (): void => {
    const due = [...this.dirty];
    this.dirty.clear();
    for (const key of due) {
      const value = this.next.get(key);
      if (value !== undefined) this.published.set(key, value);
      for (const listener of this.byKey.get(key) ?? []) listener();
    }
  };
}
