import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const script = join(import.meta.dirname, '../../scripts/generate.ts')

it('does nothing when its inputs did not change', () => {
  // Whoever runs the tests has generated before: the sources that the other tests import are its output.
  expect(execFileSync(process.execPath, [script], { encoding: 'utf8' })).toContain('up to date')
})
