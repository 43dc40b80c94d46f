import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'
import { markdown } from './markdown'

// Relative paths throughout: the built folder works from any place on any static host.
export default defineConfig({
  base: './',
  plugins: [svelte(), markdown()],
  define: { __BUILT__: JSON.stringify(new Date().toISOString().slice(0, 10)) },
  build: { outDir: '../build/page', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: 'es' },
  test: { include: ['tests/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0])
