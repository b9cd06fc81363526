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
  favourite: '{name} 즐겨찾기',
  onlyFavourites: '즐겨찾기만 보기',
  noFavourites: '별을 눌러 즐겨찾기를 추가하세요',
  openMarkets: '마켓 목록 열기',
  closeMarkets: '마켓 목록 닫기',
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
  favourite: 'Favourite: {name}',
  onlyFavourites: 'Favourites only',
  noFavourites: 'Press a star to add a favourite',
  openMarkets: 'Open the market list',
  closeMarkets: 'Close the market list',
};
