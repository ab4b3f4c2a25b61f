import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHost, loadCluster, Namespace, slotsFor } from '@continuo/core'
import { renderKubeconfig } from '@continuo/lib-certificates'
import { clientHttpConfig, createHttpClient } from '@continuo/plugin-client-http'
import { expect, it, onTestFinished } from 'vitest'
import { startApi } from './running-api.ts'

const readme = await readFile(new URL('../../packages/plugin-client-http/README.md', import.meta.url), 'utf8')
const snippet = (language: string): string => new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(readme)?.[1] ?? ''

it('the config file of the README checks out', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'continuo-readme-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = join(directory, 'continuo.yaml')
  await writeFile(file, snippet('yaml'))
  // Only the client's own slot: the others are for their own packages to show.
  const config = await loadCluster(file, {
    fallbackImport: async (specifier) =>
      import(/* @vite-ignore */ specifier === '@continuo/plugin-runtime-process' ? '@continuo/plugin-client-http' : specifier),
  })
  expect([config.name, config.roles, config.slots.map(({ slot }) => slot)]).toEqual([
    'edge',
    ['node'],
    ['agent', 'client', 'probes', 'runtime', 'volumes'],
  ])
  const host = createHost({ name: 'edge', role: 'node', plugins: slotsFor(config, 'node').filter(({ slot }) => slot === 'client') })
  expect(await host.check()).toEqual([])
})

it('the program of the README runs', async () => {
  await using api = await startApi()
  const directory = await mkdtemp(join(tmpdir(), 'continuo-readme-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const kubeconfig = join(directory, 'kubeconfig')
  await writeFile(
    kubeconfig,
    renderKubeconfig({ name: 'c', server: api.endpoint.url, authority: api.endpoint.authority, client: api.endpoint.admin }),
  )
  expect(snippet('ts')).toContain("await using client = await createHttpClient({ kubeconfig: '.continuo/kubeconfig' })")
  await using client = await createHttpClient({ kubeconfig })
  expect((await client.for(Namespace).list()).items.map((one) => one.metadata.name)).toContain('kube-system')
})

it('the table of the README has every field', () => {
  for (const field of Object.keys(clientHttpConfig.shape)) expect(readme).toContain(`\`${field}\``)
})
