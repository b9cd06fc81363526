// SPDX-License-Identifier: Apache-2.0
// The drawings of each market, kept in the browser: every chart and tab of a market has the same.
import { keep, keptText } from '../ui/kept';
import { MOST_DRAWINGS, readDrawings, writeDrawings, type Drawing } from './drawing';

/** Steps that can be taken back. */
const MOST_STEPS = 100;

type List = readonly Drawing[];

interface Sheet {
  list: List;
  readonly done: List[];
  readonly undone: List[];
  readonly listeners: Set<() => void>;
}

const keyOf = (code: string) => `drawings.${code}`;

export class DrawingStore {
  private readonly sheets = new Map<string, Sheet>();

  constructor() {
    if (typeof addEventListener === 'undefined') return;
    // Another tab has drawn.
    addEventListener('storage', ({ key }: StorageEvent) => {
      for (const [code, sheet] of this.sheets) {
        if (key === null || key === `stofka.${keyOf(code)}`) this.reread(code, sheet);
      }
    });
  }

  get(code: string): List {
    return this.sheet(code).list;
  }

  subscribe(code: string, listener: () => void): () => void {
    const { listeners } = this.sheet(code);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** A step that can be taken back. False when there is no room for more. */
  change(code: string, list: List): boolean {
    const sheet = this.sheet(code);
    if (list.length > MOST_DRAWINGS && list.length > sheet.list.length) return false;
    sheet.done.push(sheet.list);
    if (sheet.done.length > MOST_STEPS) sheet.done.shift();
    sheet.undone.length = 0;
    this.set(code, sheet, list);
    return true;
  }

  put(code: string, drawing: Drawing): boolean {
    const { list } = this.sheet(code);
    const known = list.some(({ id }) => id === drawing.id);
    return this.change(
      code,
      known ? list.map((one) => (one.id === drawing.id ? drawing : one)) : [...list, drawing],
    );
  }

  remove(code: string, id: string): void {
    const { list } = this.sheet(code);
    if (list.some((one) => one.id === id)) {
      this.change(
        code,
        list.filter((one) => one.id !== id),
      );
    }
  }

  undo(code: string): void {
    const sheet = this.sheet(code);
    this.step(code, sheet, sheet.done, sheet.undone);
  }

  redo(code: string): void {
    const sheet = this.sheet(code);
    this.step(code, sheet, sheet.undone, sheet.done);
  }

  private step(code: string, sheet: Sheet, from: List[], to: List[]): void {
    const list = from.pop();
    if (!list) return;
    to.push(sheet.list);
    this.set(code, sheet, list);
  }

  private set(code: string, sheet: Sheet, list: List): void {
    sheet.list = list;
    keep(keyOf(code), writeDrawings(list));
    for (const listener of sheet.listeners) listener();
  }

  private reread(code: string, sheet: Sheet): void {
    sheet.list = readDrawings(keptText(keyOf(code)));
    for (const listener of sheet.listeners) listener();
  }

  private sheet(code: string): Sheet {
    let sheet = this.sheets.get(code);
    if (!sheet) {
      const list = readDrawings(keptText(keyOf(code)));
      sheet = { list, done: [], undone: [], listeners: new Set() };
      this.sheets.set(code, sheet);
    }
    return sheet;
  }
}

/** The page's own. */
export const drawings = new DrawingStore();
