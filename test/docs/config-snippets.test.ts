import { join } from 'node:path'
import { parseApiVersion, parseYaml, type UnstructuredObject } from '@continuo/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkConfig } from '../../packages/continuo/src/index.ts'
import { startTestCluster, type TestCluster } from '../../packages/continuo/src/testing/index.ts'
import { pages, type Snippet, snippets } from './markdown.ts'
import { pageSlug, placeSnippets, snippetDirectory, where } from './page-directory.ts'

const isManifest = (snippet: Snippet): boolean => /^apiVersion: /m.test(snippet.text)
const isConfig = (snippet: Snippet): boolean =>
  (snippet.language === 'yaml' && !isManifest(snippet)) || snippet.notes.file === 'continuo.config.ts'

const all = pages.flatMap(snippets)
const configs = all.filter(isConfig)
const manifests = all.filter((snippet) => snippet.language === 'yaml' && isManifest(snippet))

/** Every secret has a value. */
const secrets = { env: new Proxy({}, { get: () => 'value', has: () => true }), readFile: async () => 'value' }

describe('config files in documentation', () => {
  let directory: Awaited<ReturnType<typeof snippetDirectory>>
  const files = new Map<string, string>()

  beforeAll(async () => {
    directory = await snippetDirectory()
    for (const page of new Set(configs.map((snippet) => snippet.page))) {
      for (const { snippet, file } of await placeSnippets(page, join(directory.path, pageSlug(page)))) files.set(where(snippet), file)
    }
  })
  afterAll(() => directory?.remove())

  it('are there', () => expect(configs.length).toBeGreaterThanOrEqual(10))

  it.each(configs.map((snippet) => [where(snippet), snippet] as const))('%s', async (name, { notes }) => {
    const problems = await checkConfig(files.get(name) as string, secrets)
    // A snippet that shows one slot is no whole cluster: what it needs of others may be missing.
    const counted = 'part of a cluster' in notes ? problems.filter((problem) => problem.code !== 'CAPABILITY_MISSING') : problems
    if (notes.faults === undefined) expect(counted.map(({ path, message }) => `${path}: ${message}`)).toEqual([])
    else expect(counted).toHaveLength(Number(notes.faults))
  })
})

describe('manifests in documentation', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startTestCluster({ nodes: 0 })
  })
  afterAll(() => cluster?.stop())

  it.each(manifests.map((snippet) => [where(snippet), snippet] as const))('%s', async (_, { text }) => {
    const kinds = await cluster.client.resources()
    for (const document of text.split(/^---$/m)) {
      const object = parseYaml(document).value as unknown as UnstructuredObject
      const { group, version } = parseApiVersion(object.apiVersion)
      const kind = kinds.find((one) => one.group === group && one.version === version && one.kind === object.kind)
      expect(kind, `${object.kind} is served`).toBeDefined()
      const metadata = { ...object.metadata, ...(kind?.namespaced ? { namespace: object.metadata.namespace ?? 'default' } : {}) }
      await cluster.client
        .for(kind as NonNullable<typeof kind>)
        .create({ ...object, metadata }, { dryRun: true, fieldValidation: 'Strict' })
    }
  })
})
