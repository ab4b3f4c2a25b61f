import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { createHost, type Host, type KubeObject, kind, ObjectClientCap } from '../../src/index.ts'

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** The code blocks of a document in one language. */
const blocks = (text: string, language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map((match) => match[1] ?? '')

/** Runs code of a document as a module, with core's own source for the package. */
async function run(code: string): Promise<Record<string, unknown>> {
  const directory = await mkdtemp(join(tmpdir(), 'continuo-readme-'))
  try {
    const file = join(directory, 'example.ts')
    await writeFile(file, code.replaceAll("'@continuo/core'", JSON.stringify(pathToFileURL(source('../../src/index.ts')).href)))
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5_000
  while (!(await condition())) {
    expect(performance.now()).toBeLessThan(deadline)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const Greeting = kind<KubeObject & { status?: { text?: string } }>({
  group: 'demo.io',
  version: 'v1',
  kind: 'Greeting',
  resource: 'greetings',
  namespaced: true,
})

it('runs the example of the README', async () => {
  const [code = ''] = blocks(await readFile(source('../../README.md'), 'utf8'), 'ts')
  const { host } = (await run(code)) as { host: Host }
  await until(async () => (await host.use(ObjectClientCap).for(Greeting).get('default/first')).status?.text === 'Hello, Ada')
  await host.stop()
})

it('runs the plugin of docs/plugins.md', async () => {
  const [code = ''] = blocks(await readFile(source('../../../../docs/plugins.md'), 'utf8'), 'ts')
  const { default: plugin } = (await run(code)) as { default: Parameters<Host['swap']>[1] }
  const host = createHost({ name: 'test', role: 'control-plane', plugins: [{ slot: 'quota', plugin, config: { limit: 3 } }] })
  expect(await host.check()).toEqual([])
  await host.start()
  expect((await host.health()).map((result) => result.name)).toContain('quota/limit')
  await host.stop()
  const wrong = createHost({ name: 'test', role: 'control-plane', plugins: [{ slot: 'quota', plugin, config: { limit: 'three' } }] })
  expect((await wrong.check()).map((problem) => problem.path)).toEqual(['plugins.quota.with.limit'])
})
