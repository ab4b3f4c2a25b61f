import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pages, snippets } from './markdown.ts'
import { pageSlug, placeSnippets, snippetDirectory, where } from './page-directory.ts'
import { manifestOf, packages, workspace } from './workspace-files.ts'

const run = promisify(execFile)
const all = pages.flatMap(snippets).filter((snippet) => snippet.language === 'ts')

/** Every package by its name, also those that the directory's own package does not depend on. */
const paths = Object.fromEntries([
  ...packages.map((name) => [manifestOf(name).name, [join(workspace, 'packages', name, 'src/index.ts')]]),
  ['continuo/testing', [join(workspace, 'packages/continuo/src/testing/index.ts')]],
])

describe('TypeScript in documentation', () => {
  let directory: Awaited<ReturnType<typeof snippetDirectory>>
  const files = new Map<string, string>()

  beforeAll(async () => {
    directory = await snippetDirectory()
    for (const page of new Set(all.map((snippet) => snippet.page))) {
      for (const { snippet, file } of await placeSnippets(page, join(directory.path, pageSlug(page)))) files.set(where(snippet), file)
    }
    const tsconfig = {
      extends: join(workspace, 'tsconfig.test.json'),
      compilerOptions: { paths, noEmit: true },
      include: ['**/*.ts'],
    }
    await writeFile(join(directory.path, 'tsconfig.json'), JSON.stringify(tsconfig))
  })
  afterAll(() => directory?.remove())

  it('has the types that it claims', async () => {
    expect(all.length).toBeGreaterThanOrEqual(10)
    const { stdout } = await run(join(workspace, 'node_modules/.bin/tsc'), ['-p', directory.path, '--pretty', 'false'], {
      maxBuffer: 1 << 24,
    }).catch((error: { stdout: string }) => error)
    // What other files of the workspace say is the business of the type check.
    expect(stdout.split('\n').filter((line) => line.includes('.snippets-'))).toEqual([])
  })

  it.each(all.filter(({ notes }) => 'runs' in notes).map(where))('%s runs', async (name) => {
    const file = files.get(name) as string
    await run(process.execPath, ['--conditions=@continuo/source', relative(process.cwd(), file)], { timeout: 60_000 })
  })
})
