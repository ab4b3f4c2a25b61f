import { defineConfig } from 'vitest/config'

const source = '@continuo/source'

export default defineConfig({
  resolve: { conditions: [source] },
  ssr: { resolve: { conditions: [source] } },
  test: {
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 20_000,
    ...(process.env.CONTINUO_TEST_REPORT === undefined
      ? {}
      : { reporters: ['default', 'json'], outputFile: { json: process.env.CONTINUO_TEST_REPORT } }),
    projects: [
      { extends: true, test: { name: 'packages', include: ['packages/*/test/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
