import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')

it('runs the example of the README', () => {
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? []
  const output = execFileSync(process.execPath, ['--conditions=@continuo/source', '--input-type=module-typescript', '--eval', code], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(output).toContain("{ maxUnavailable: '25%', maxSurge: '25%' }")
})
