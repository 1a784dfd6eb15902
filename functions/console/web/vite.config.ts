import { readFileSync } from 'node:fs'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const { info } = JSON.parse(readFileSync(new URL('../api/openapi.json', import.meta.url), 'utf8')) as {
  info: { version: string }
}
const api = `http://127.0.0.1:${process.env.PORT ?? 3000}`

export default defineConfig({
  plugins: [react()],
  define: { __VERSION__: JSON.stringify(info.version) }, // the product's version, as the API reference has it
  build: {
    outDir: 'dist/app',
    target: 'es2022',
    // Inlined images and fonts would need a wider policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  test: { include: ['src/**/*.test.{ts,tsx}', 'scripts/**/*.test.mjs'] },
  server: {
    port: 5173,
    host: '127.0.0.1',
    // The API checks that a change comes from its own origin; while developing that is Vite's.
    proxy: { '/api': { target: api, changeOrigin: true, headers: { origin: api } } },
  },
})
