// SPDX-License-Identifier: Apache-2.0
import hooks from 'eslint-plugin-react-hooks';
import ts from 'typescript-eslint';

// app → chart, market → api, ui. Each room names what it may not import.
const rooms = {
  app: [],
  chart: ['app', 'market'],
  market: ['app', 'chart'],
  api: ['app', 'chart', 'market', 'ui'],
  ui: ['app', 'chart', 'market', 'api'],
};

const walls = Object.entries(rooms).map(([room, closed]) => ({
  files: [`${room}/**/*.{ts,tsx}`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: closed.map((name) => ({
          group: [`**/${name}/**`],
          message: `${room}/ may not import ${name}/`,
        })),
      },
    ],
  },
}));

export default ts.config(
  { ignores: ['dist', 'node_modules'] },
  ...ts.configs.strict,
  { plugins: { 'react-hooks': hooks }, rules: hooks.configs.recommended.rules },
  {
    rules: {
      'max-lines': ['error', { max: 200 }],
      'max-depth': ['error', 4],
      'max-params': ['error', 6],
      complexity: ['error', 15],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  { files: ['e2e/**', 'bench/**'], rules: { 'no-console': 'off' } },
  { files: ['api/wire.ts'], rules: { 'max-lines': 'off' } }, // made, not written
  ...walls,
);
