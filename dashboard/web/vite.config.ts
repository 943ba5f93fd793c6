import { defineConfig } from 'vite';

// Relative addresses, so that the page also works below a path of a reverse proxy. `npm run dev` shows a running
// gateway (or tests/dashboard/fake_server.mjs) from TIDEGATE_URL.
export default defineConfig({
  base: './',
  build: {
    target: 'es2021',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    host: '127.0.0.1',
    proxy: { '/api': process.env['TIDEGATE_URL'] ?? 'http://127.0.0.1:8080' },
  },
});
