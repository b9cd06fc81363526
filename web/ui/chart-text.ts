// SPDX-License-Identifier: Apache-2.0
// The dictionary's part about the chart and its tools.

export const chartKo = {
  zone: '시간대',
  kst: '한국 시간',
  utc: 'UTC',
  local: '현지 시간',
  closesIn: '봉 마감까지 남은 시간 (거래소 시각 기준)',
  tools: '차트 도구',
  kind: '차트 종류',
  candles: '캔들',
  hollow: '빈 캔들',
  heikin: '하이킨아시',
  line: '라인',
  area: '영역',
  scale: '가격 축',
  normal: '일반',
  log: '로그',
  percent: '퍼센트',
  barChange: '변동',
} as const;

export const chartEn: Record<keyof typeof chartKo, string> = {
  zone: 'Time zone',
  kst: 'Korea (KST)',
  utc: 'UTC',
  local: 'Local',
  closesIn: 'Time to the candle’s close, by the exchange’s clock',
  tools: 'Chart tools',
  kind: 'Chart kind',
  candles: 'Candles',
  hollow: 'Hollow',
  heikin: 'Heikin Ashi',
  line: 'Line',
  area: 'Area',
  scale: 'Price scale',
  normal: 'Linear',
  log: 'Log',
  percent: 'Percent',
  barChange: 'Chg',
};
