// SPDX-License-Identifier: Apache-2.0
// Words of the page's frame: settings, help, list.

export const shellKo = {
  settings: '설정',
  theme: '테마',
  'theme.system': '시스템',
  'theme.dark': '어둡게',
  'theme.light': '밝게',
  colours: '색상',
  'colours.korean': '상승 빨강 · 하락 파랑',
  'colours.western': '상승 초록 · 하락 빨강',
  languageChoice: '언어',
} as const;

export const shellEn: Record<keyof typeof shellKo, string> = {
  settings: 'Settings',
  theme: 'Theme',
  'theme.system': 'System',
  'theme.dark': 'Dark',
  'theme.light': 'Light',
  colours: 'Colours',
  'colours.korean': 'Red up · blue down',
  'colours.western': 'Green up · red down',
  languageChoice: 'Language',
};
