// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config';

// STOFKA_URL lets `npm run dev` and `npm run preview` stand in front of a running stofka (or the mock).
const target = process.env['STOFKA_URL'] ?? 'http://127.0.0.1:8080';
const paths = ['/markets', '/candles', '/exchange-candles', '/gaps', '/status', '/stream'];
const proxy = Object.fromEntries(paths.map((path) => [path, target]));

export default defineConfig({
  esbuild: { jsx: 'automatic' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // data: URLs would need a wider Content-Security-Policy
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    rollupOptions: {
      output: {
        // Libraries change less often than the page: browsers keep them. And profiles tell them apart.
        manualChunks: {
          charts: ['lightweight-charts', 'fancy-canvas'],
          react: ['react', 'react-dom', 'react-dom/client', 'scheduler'],
        },
      },
    },
  },
  worker: { format: 'es' },
  server: { host: '127.0.0.1', proxy },
  preview: { host: '127.0.0.1', proxy },
  test: { include: ['{api,chart,market,ui,app}/**/*.test.ts'], environment: 'node' },
});
