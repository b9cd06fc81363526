// SPDX-License-Identifier: Apache-2.0
// Indicators by name and parameters, as short text: "sma20", "bb20-2", "macd12-26-9".

export const STUDY_KINDS = [
  'sma',
  'ema',
  'wma',
  'vwma',
  'bb',
  'psar',
  'rsi',
  'macd',
  'stoch',
  'cci',
  'mfi',
  'willr',
  'atr',
] as const;
export type StudyKind = (typeof STUDY_KINDS)[number];

export interface Parameter {
  readonly name:
    'period' | 'deviations' | 'fast' | 'slow' | 'signal' | 'smoothing' | 'acceleration' | 'most';
  readonly initial: number;
  readonly least: number;
  readonly most: number;
  readonly step: number;
}

function period(name: Parameter['name'], initial: number, least = 1): Parameter {
  return { name, initial, least, most: 500, step: 1 };
}

export const PARAMETERS: Record<StudyKind, readonly Parameter[]> = {
  sma: [period('period', 20)],
  ema: [period('period', 20)],
  bb: [
    period('period', 20, 2),
    { name: 'deviations', initial: 2, least: 0.5, most: 10, step: 0.5 },
  ],
  rsi: [period('period', 14, 2)],
  macd: [period('fast', 12), period('slow', 26), period('signal', 9)],
  wma: [period('period', 20)],
  vwma: [period('period', 20)],
  psar: [
    { name: 'acceleration', initial: 0.02, least: 0.01, most: 0.5, step: 0.01 },
    { name: 'most', initial: 0.2, least: 0.05, most: 1, step: 0.05 },
  ],
  stoch: [period('period', 14), period('smoothing', 3), period('signal', 3)],
  cci: [period('period', 20, 2)],
  mfi: [period('period', 14, 2)],
  willr: [period('period', 14, 2)],
  atr: [period('period', 14, 2)],
};

/** Where an indicator is drawn and how its figures are written. */
export interface Manner {
  /** In a pane of its own, not over the prices. */
  readonly own: boolean;
  /** Its figures are no prices. */
  readonly plain: boolean;
  /** Levels that people look for. */
  readonly guides: readonly number[];
}

const OVER: Manner = { own: false, plain: false, guides: [] };
const BELOW: Manner = { own: true, plain: false, guides: [] };
const between = (...guides: number[]): Manner => ({ own: true, plain: true, guides });

export const MANNERS: Record<StudyKind, Manner> = {
  sma: OVER,
  ema: OVER,
  wma: OVER,
  vwma: OVER,
  bb: OVER,
  psar: OVER,
  macd: BELOW,
  atr: BELOW,
  rsi: between(30, 70),
  stoch: between(20, 80),
  cci: between(-100, 100),
  mfi: between(20, 80),
  willr: between(-80, -20),
};

export interface Study {
  readonly kind: StudyKind;
  readonly values: readonly number[];
}

/** Indicators at once: each line costs time at every update. */
export const MOST_STUDIES = 8;

export function initialStudy(kind: StudyKind): Study {
  return { kind, values: PARAMETERS[kind].map(({ initial }) => initial) };
}

export function fits({ least, most, step }: Parameter, value: number): boolean {
  const steps = value / step; // 0.06 / 0.01 is not quite 6
  return value >= least && value <= most && Math.abs(steps - Math.round(steps)) < 1e-9;
}

export function studyText({ kind, values }: Study): string {
  return kind + values.join('-');
}

function readStudy(text: string): Study | undefined {
  const kind = STUDY_KINDS.find((one) => new RegExp(`^${one}\\d`).test(text));
  if (!kind) return undefined;
  const values = text.slice(kind.length).split('-').map(Number);
  const wanted = PARAMETERS[kind];
  const good =
    values.length === wanted.length && wanted.every((one, at) => fits(one, values[at] as number));
  return good ? { kind, values } : undefined;
}

export function studiesText(studies: readonly Study[]): string {
  return studies.map(studyText).join('_');
}

/** What makes no sense is left out, and so is what is there twice. */
export function readStudies(text: string): Study[] {
  const unique = [...new Set(text.split('_'))];
  const read = unique.map(readStudy).filter((study) => study !== undefined);
  return read.slice(0, MOST_STUDIES);
}

/** Averages and distances of prices of few digits need more decimals than the prices. */
export function figurePlaces(places: number, price = '0'): number {
  return places + (Number(price) * 10 ** places < 1e5 ? 2 : 0);
}
