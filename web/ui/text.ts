// SPDX-License-Identifier: Apache-2.0
// The two languages of the page. Every sentence a person reads is here, or in what is taken in.
import { chartEn, chartKo } from './chart-text';
import { shellEn, shellKo } from './shell-text';

export const LANGUAGES = ['ko', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

const ko = {
  ...chartKo,
  ...shellKo,
  title: 'Stofka 실시간 시세',
  markets: '마켓',
  search: '코인명 · 심볼 검색',
  noMatch: '검색 결과가 없습니다',
  loadingMarkets: '마켓을 불러오는 중…',
  name: '마켓명',
  price: '현재가',
  change: '전일대비',
  turnover: '거래대금',
  high: '고가',
  low: '저가',
  volume24h: '거래량(24h)',
  turnover24h: '거래대금(24h)',
  high52w: '52주 최고',
  low52w: '52주 최저',
  delisted: '거래종료',
  interval: '봉 간격',
  open: '시',
  highShort: '고',
  lowShort: '저',
  close: '종',
  volume: '거래량',
  amount: '대금',
  forming: '진행 중',
  closed: '확정',
  repaired: '정정됨',
  partial: '불완전',
  loadingChart: '차트를 불러오는 중…',
  noCandles: '아직 체결이 없습니다',
  noneKept: '이 간격으로 저장된 데이터가 없습니다',
  unknownMarket: '없는 마켓입니다',
  chartFailed: '차트를 불러오지 못했습니다. 다시 시도하는 중…',
  beginning: '가장 오래된 데이터',
  toNewest: '최신으로',
  simulated: '모의 데이터',
  simulatedHint: '시뮬레이터가 만든 데이터입니다. 실제 시세가 아닙니다.',
  replay: '리플레이',
  replayHint: '기록된 과거 데이터를 재생하고 있습니다. 현재 시세가 아닙니다.',
  imported: '가져온 데이터',
  importedHint: '파일에서 가져온 데이터입니다.',
  upbit: 'UPBIT',
  upbitHint: '업비트 실시간 시세입니다.',
  upbitKeptHint: '업비트 시세로, 전에 받아 두었거나 파일에서 가져온 것입니다.',
  live: '실시간',
  behind: '{ms}ms 지연',
  behindLong: '{s}초 지연',
  liveHint: '거래소보다 얼마나 늦게 보이는지를 나타냅니다.',
  connecting: '연결 중',
  reconnecting: '재연결 중',
  reconnectingHint: '연결이 끊겨 마지막 위치부터 이어받는 중입니다.',
  kept: '보관된 데이터',
  keptHint: '거래소에 연결하지 않고 저장된 데이터를 보여 줍니다.',
  stale: '지연됨',
  staleHint: '거래소가 몇 초째 응답하지 않습니다. 보이는 값이 최신이 아닐 수 있습니다.',
  down: '거래소 연결 끊김',
  downNotice: '거래소에 연결할 수 없습니다. 연결되면 자동으로 시작합니다.',
  offline: '서버 연결 끊김',
  offlineNotice: 'Stofka 서버에 연결할 수 없습니다. 자동으로 다시 시도합니다.',
  gap: '데이터 공백',
  gapHint: '이 마켓의 데이터를 받지 못하고 있는 구간이 있습니다.',
  language: 'English',
  languageHint: 'Switch to English',
  licences: '라이선스',
} as const;

export type TextKey = keyof typeof ko;

const en: Record<TextKey, string> = {
  ...chartEn,
  ...shellEn,
  title: 'Stofka live market',
  markets: 'Markets',
  search: 'Search name or symbol',
  noMatch: 'No market matches',
  loadingMarkets: 'Loading markets…',
  name: 'Market',
  price: 'Price',
  change: 'Change',
  turnover: 'Turnover',
  high: 'High',
  low: 'Low',
  volume24h: 'Volume (24h)',
  turnover24h: 'Turnover (24h)',
  high52w: '52w high',
  low52w: '52w low',
  delisted: 'Delisted',
  interval: 'Interval',
  open: 'O',
  highShort: 'H',
  lowShort: 'L',
  close: 'C',
  volume: 'Vol',
  amount: 'Amt',
  forming: 'forming',
  closed: 'closed',
  repaired: 'repaired',
  partial: 'partial',
  loadingChart: 'Loading chart…',
  noCandles: 'No trade yet',
  noneKept: 'Nothing is stored at this interval',
  unknownMarket: 'There is no such market',
  chartFailed: 'The chart could not be loaded. Trying again…',
  beginning: 'Beginning of history',
  toNewest: 'To newest',
  simulated: 'SIMULATED',
  simulatedHint: 'Made by the simulator. These are not real prices.',
  replay: 'REPLAY',
  replayHint: 'Recorded data is being replayed. These are not current prices.',
  imported: 'IMPORTED',
  importedHint: 'Imported from a file.',
  upbit: 'UPBIT',
  upbitHint: "Upbit's live market.",
  upbitKeptHint: "Upbit's market, heard earlier or imported from a file.",
  live: 'LIVE',
  behind: '{ms} ms behind',
  behindLong: '{s} s behind',
  liveHint: 'How far the data is behind the exchange.',
  connecting: 'CONNECTING',
  reconnecting: 'RECONNECTING',
  reconnectingHint: 'The connection was lost; going on from the last position.',
  kept: 'KEPT DATA',
  keptHint: 'No exchange is connected: this is what has been stored.',
  stale: 'STALE',
  staleHint: 'The exchange has been silent for some seconds; what is shown may be older.',
  down: 'EXCHANGE DOWN',
  downNotice: "The exchange can't be reached. This page starts by itself when it can.",
  offline: 'OFFLINE',
  offlineNotice: "Stofka can't be reached. Trying again by itself.",
  gap: 'GAP',
  gapHint: 'A span of this market is missing because it was not heard.',
  language: '한국어',
  languageHint: '한국어로 바꾸기',
  licences: 'Licences',
};

const DICTIONARIES: Record<Language, Record<TextKey, string>> = { ko, en };

export type Translate = (key: TextKey, values?: Record<string, string | number>) => string;

export function translator(language: Language): Translate {
  const dictionary = DICTIONARIES[language];
  return (key, values = {}) =>
    dictionary[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The first of the reader's languages that we have; English otherwise. */
export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const found = LANGUAGES.find((language) => tag.toLowerCase().startsWith(language));
    if (found) return found;
  }
  return 'en';
}
