import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readPage } from './markdown.ts'
import { workspace } from './workspace-files.ts'

/** Rows of the table of attacks: what, the file of its test, and the test's name. */
const attacks = [...readPage('docs/security.md').matchAll(/^\| [^|]*\| ([^|]+) \| \[[^\]]+\]\(\.\.\/([^)]+)\) \| (.+) \|$/gm)].map(
  ([, what = '', file = '', title = '']) => ({ what, file, title }),
)

describe('every attack that the page on security names', () => {
  it('is in a table that can be read', () => expect(attacks.length).toBeGreaterThan(45))

  it.each(attacks.map(({ what, file, title }) => [what, file, title] as const))('%s: %s tries it', (_what, file, title) => {
    const path = join(workspace, file)
    expect(existsSync(path)).toBe(true)
    expect(readFileSync(path, 'utf8').replaceAll("\\'", "'")).toContain(title)
  })
})
