import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')

it('runs the example of the README', () => {
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? []
  // Every line that claims a result becomes an assertion.
  const checked = code.replace(/^(\S.*\)) \/\/ (\d+|'[^']*').*$/gm, 'if (($1) !== $2) throw new TypeError(`$1`)')
  expect(checked.match(/throw/g)).toHaveLength(5)
  execFileSync(process.execPath, ['--conditions=@continuo/source', '--input-type=module-typescript', '--eval', checked], { cwd: root })
})
