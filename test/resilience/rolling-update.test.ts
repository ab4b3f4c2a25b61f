import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Api, openApi } from '../support/api.ts'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'
import { eventually } from '../support/eventually.ts'
import { steadyLoad } from './steady-load.ts'

const example = fileURLToPath(new URL('../../examples/hello/hello.yaml', import.meta.url))
const updates = Number(process.env.CONTINUO_UPDATES ?? 3)
const perSecond = Number(process.env.CONTINUO_LOAD ?? 200)
const collections: Readonly<Record<string, string>> = {
  ConfigMap: '/api/v1/namespaces/default/configmaps',
  Service: '/api/v1/namespaces/default/services',
  Deployment: '/apis/apps/v1/namespaces/default/deployments',
}
const deployment = `${collections.Deployment}/hello`

let data: Awaited<ReturnType<typeof dataDirectory>>
let cluster: ClusterProcess
let api: Api

beforeAll(async () => {
  data = await dataDirectory('rolling')
  cluster = await startProcess({ dataDir: data.path })
  api = await openApi(cluster.kubeconfig)
})
afterAll(async () => {
  await cluster?.interrupt()
  api?.[Symbol.dispose]()
  await data.remove()
})

/** Resolves when the update has come to its end: all pods are of it, all available, and no old one is counted. */
const rolledOut = (): Promise<void> =>
  eventually(async () => {
    const { metadata, spec, status } = (await api.ok('GET', deployment)).body
    expect(status).toMatchObject({
      observedGeneration: metadata.generation,
      replicas: spec.replicas,
      updatedReplicas: spec.replicas,
      availableReplicas: spec.replicas,
    })
  }, 60_000)

it(`loses no request in ${updates} rolling updates under ${perSecond} requests/s`, { timeout: 60_000 + updates * 30_000 }, async () => {
  for (const manifest of (await readFile(example, 'utf8')).split(/^---$/m)) {
    const [kind = '', name = ''] = [/^kind: (\w+)/m, /^ {2}name: (\w+)/m].map((pattern) => pattern.exec(manifest)?.[1])
    await api.ok('PATCH', `${collections[kind]}/${name}?fieldManager=test`, { body: manifest, contentType: 'application/apply-patch+yaml' })
  }
  await rolledOut()
  const service = (await api.ok('GET', `${collections.Service}/hello`)).body
  const url = `http://${service.spec.clusterIP}:8080/`
  await eventually(async () => expect((await fetch(url)).status).toBe(200))

  const load = steadyLoad(url, perSecond)
  for (let update = 1; update <= updates; update++) {
    const env = [{ name: 'GREETING', value: `update ${update}`, valueFrom: null }]
    const body = { spec: { template: { spec: { containers: [{ name: 'server', env }] } } } }
    await api.ok('PATCH', deployment, { body, contentType: 'application/strategic-merge-patch+json' })
    await rolledOut()
  }
  // The old pods still drain; they may not lose anything then either.
  await eventually(async () => {
    const { items } = (await api.ok('GET', '/api/v1/namespaces/default/pods')).body
    expect(items).toHaveLength(3)
  }, 30_000)
  const result = await load.stop()

  expect(result.failures).toEqual([])
  expect(result.answered).toBe(result.sent)
  expect(result.sent).toBeGreaterThan(perSecond * updates)
  const greetings = new Set([...result.answers.keys()].map((text) => text.split(',')[0]))
  expect([...greetings].sort()).toEqual(
    ['Hello from Continuo', ...Array.from({ length: updates }, (_, index) => `update ${index + 1}`)].sort(),
  )
})
