import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runtimeProcessConfig } from '../src/config.ts'

test('the README names every configuration key with its default', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const table = Object.fromEntries([...readme.matchAll(/^\| `(\w+)` +\| (?:`([^`]*)`)? *\|/gm)].map(([, key, value]) => [key, value ?? '']))
  const defaults = runtimeProcessConfig.parse({}) as Record<string, unknown>
  const shown = (value: unknown): string => (value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value))
  expect(table).toEqual(Object.fromEntries(Object.keys(runtimeProcessConfig.shape).map((key) => [key, shown(defaults[key])])))
})
