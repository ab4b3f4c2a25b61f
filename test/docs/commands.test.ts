import { execFile } from 'node:child_process'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'
import { kubectlMissing } from '../support/kubectl.ts'
import { pages, type Snippet, snippets } from './markdown.ts'
import { where } from './page-directory.ts'

const bin = fileURLToPath(new URL('../../packages/continuo/src/bin.ts', import.meta.url))
const documents = pages.filter((page) => page.startsWith('docs/'))

const runsInShell = ({ language, text, notes }: Snippet): boolean =>
  language === 'sh' && /^(kubectl|continuo) /m.test(text) && !('not run' in notes)

/** Waits that readers end by Ctrl-C are ended here, and must still have been waiting then. */
const withInterrupts = (text: string): string => text.replace(/^(.*\S)\s+# until Ctrl-C$/gm, 'timeout --signal=INT 2 $1 || [ $? = 124 ]')

/** All commands of a page in one shell, because later ones build on earlier ones. An error names the snippet. */
const script = (page: string): string =>
  [
    'set -eEuo pipefail',
    `trap 'echo "failed in $SNIPPET: $BASH_COMMAND" >&2' ERR`,
    ...snippets(page)
      .filter(runsInShell)
      .flatMap((snippet) => [`SNIPPET=${where(snippet)}`, withInterrupts(snippet.text)]),
  ].join('\n')

let home: Awaited<ReturnType<typeof dataDirectory>>
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  home = await dataDirectory('docs')
  const command = join(home.path, 'bin', 'continuo')
  await mkdir(dirname(command))
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' --conditions=@continuo/source '${bin}' "$@"\n`)
  await chmod(command, 0o755)
  const path = [dirname(command), dirname(process.execPath), process.env.PATH].join(delimiter)
  env = { ...process.env, PATH: path, KUBECONFIG: join(home.path, '.continuo', 'kubeconfig'), NO_COLOR: '1' }
})
afterAll(() => home?.remove())

const shell = (text: string, timeout = 90_000): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)('bash', ['-c', text], { cwd: home.path, env, timeout, maxBuffer: 1 << 24 })

/** Files that a page tells its readers to save. */
async function withFiles<T>(page: string, run: () => Promise<T>): Promise<T> {
  const named = snippets(page).filter(({ language, notes }) => language === 'yaml' && notes.file !== undefined)
  const files = named.map(({ notes }) => join(home.path, notes.file as string))
  await Promise.all(named.map(({ text }, at) => writeFile(files[at] as string, text)))
  try {
    return await run()
  } finally {
    await Promise.all(files.map((file) => rm(file)))
  }
}

describe.skipIf(kubectlMissing !== undefined)(
  `commands in documentation${kubectlMissing === undefined ? '' : ` (${kubectlMissing})`}`,
  () => {
    let cluster: ClusterProcess
    beforeAll(async () => {
      cluster = await startProcess({ dataDir: join(home.path, '.continuo') })
    })
    afterAll(() => cluster?.interrupt())

    it.each(documents.filter((page) => snippets(page).some(runsInShell)))('%s', async (page) => {
      await withFiles(page, async () => {
        await expect(shell(script(page))).resolves.toBeDefined()
      })
    })
  },
)

describe('outputs in documentation', () => {
  const shown = documents.flatMap(snippets).filter(({ notes }) => notes['output of'] !== undefined)

  it.each(shown.map((snippet) => [where(snippet), snippet] as const))('%s', async (_, { page, text, notes }) => {
    const { stdout, stderr } = await withFiles(page, () => shell(`${notes['output of']} 2>&1 || true`))
    const output = `${stdout}${stderr}`.replaceAll(`${home.path}/`, '').replaceAll(home.path, '.')
    expect(text.trim()).toBe(output.trim())
  })
})
