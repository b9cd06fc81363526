// SPDX-License-Identifier: Apache-2.0
// Indicators by name and parameters, as short text: "sma20", "bb20-2", "macd12-26-9".

export const STUDY_KINDS = ['sma', 'ema', 'bb', 'rsi', 'macd'] as const;
export type StudyKind = (typeof STUDY_KINDS)[number];

export interface Parameter {
  readonly name: 'period' | 'deviations' | 'fast' | 'slow' | 'signal';
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
  return value >= least && value <= most && Number.isInteger(value / step);
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
