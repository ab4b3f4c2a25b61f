import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Api, openApi } from '../support/api.ts'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'
import { eventually } from '../support/eventually.ts'
import { kubectlMissing, runKubectl } from '../support/kubectl.ts'
import { steadyLoad } from './steady-load.ts'

const deployments = '/apis/apps/v1/namespaces/default/deployments'
const pods = '/api/v1/namespaces/default/pods?labelSelector=app%3Dshop'
const broken = 'registry.example/shop:broken'

const server = `
  const server = require('node:http').createServer((request, response) => response.end('served'))
  server.listen(8080, process.env.POD_IP)
  process.on('SIGTERM', () => setTimeout(() => server.close(() => process.exit(0)), 1500))`

const shop = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop' },
  spec: {
    replicas: 4,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } },
    progressDeadlineSeconds: 3,
    selector: { matchLabels: { app: 'shop' } },
    template: {
      metadata: { labels: { app: 'shop' } },
      spec: {
        terminationGracePeriodSeconds: 5,
        containers: [
          {
            name: 'server',
            image: 'host',
            command: ['node', '-e', server],
            ports: [{ containerPort: 8080 }],
            readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
}

let data: Awaited<ReturnType<typeof dataDirectory>>
let cluster: ClusterProcess
let api: Api

beforeAll(async () => {
  data = await dataDirectory('broken')
  cluster = await startProcess({ dataDir: data.path })
  api = await openApi(cluster.kubeconfig)
})
afterAll(async () => {
  await cluster?.interrupt()
  api?.[Symbol.dispose]()
  await data.remove()
})

const kubectl = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await runKubectl(cluster.kubeconfig, args)
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
  return stdout
}

interface PodForm {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string }
  readonly spec: { readonly containers: readonly { readonly image: string }[] }
  readonly status: { readonly containerStatuses?: readonly { readonly ready: boolean; readonly restartCount: number }[] }
}

it.skipIf(kubectlMissing !== undefined)('a broken image stops at the surge limit, says why, serves on, and is healed by undo', async () => {
  await api.ok('POST', deployments, { body: shop })
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'shop' },
    spec: { selector: { app: 'shop' }, ports: [{ port: 8080 }] },
  }
  const { clusterIP } = (await api.ok('POST', '/api/v1/namespaces/default/services', { body: service })).body.spec
  await kubectl('rollout', 'status', 'deployment/shop', '--timeout=30s')
  const url = `http://${clusterIP}:8080/`
  await eventually(async () => expect(await (await fetch(url)).text()).toBe('served'))
  const before = (await api.ok('GET', pods)).body.items.map((pod: PodForm) => pod.metadata.name).sort()
  const load = steadyLoad(url, 50)

  // Every state that the pods pass through is looked at, not only the last one.
  const states: { readonly pods: number; readonly ready: number }[] = []
  const current = new Map<string, PodForm>()
  const stop = new AbortController()
  const { metadata, items } = (await api.ok('GET', pods)).body
  for (const pod of items) current.set(pod.metadata.name, pod)
  const watching = (async () => {
    for await (const { type, object } of await api.watch(`${pods}&watch=true&resourceVersion=${metadata.resourceVersion}`, stop.signal)) {
      if (type === 'DELETED') current.delete(object.metadata.name)
      else current.set(object.metadata.name, object)
      const alive = [...current.values()].filter((pod) => pod.metadata.deletionTimestamp === undefined)
      states.push({ pods: alive.length, ready: alive.filter((pod) => pod.status.containerStatuses?.[0]?.ready === true).length })
    }
  })()

  await kubectl('set', 'image', 'deployment/shop', `server=${broken}`)
  const status = await runKubectl(cluster.kubeconfig, ['rollout', 'status', 'deployment/shop', '--timeout=30s'])
  expect(status.code).toBe(1)
  expect(status.stderr).toContain('error: deployment "shop" exceeded its progress deadline')

  const during = (await api.ok('GET', pods)).body.items as PodForm[]
  const old = during.filter((pod) => pod.spec.containers[0]?.image === 'host').map((pod) => pod.metadata.name)
  const fresh = during.filter((pod) => pod.spec.containers[0]?.image === broken)
  expect(old.sort()).toEqual(before)
  expect(fresh).toHaveLength(2)
  expect((await api.ok('GET', `${deployments}/shop`)).body.status).toMatchObject({
    replicas: 6,
    updatedReplicas: 2,
    availableReplicas: 4,
    unavailableReplicas: 2,
  })
  const deployment = await kubectl('describe', 'deployment', 'shop')
  expect(deployment).toMatch(/Progressing\s+False\s+ProgressDeadlineExceeded/)
  expect(deployment).toMatch(/Available\s+True\s+MinimumReplicasAvailable/)
  const [stuck = ''] = fresh.map((pod) => pod.metadata.name)
  const described = await kubectl('describe', 'pod', stuck)
  expect(described).toMatch(/Reason:\s+(ErrImagePull|ImagePullBackOff)/)
  expect(described).toMatch(/Warning\s+Failed.*registry\.example\/shop:broken/)
  expect(await kubectl('get', 'pods')).toMatch(new RegExp(`${stuck}\\s+0/1\\s+(ErrImagePull|ImagePullBackOff)`))

  expect(await kubectl('rollout', 'undo', 'deployment/shop')).toContain('rolled back')
  expect(await kubectl('rollout', 'status', 'deployment/shop', '--timeout=30s')).toContain('successfully rolled out')
  await eventually(async () => {
    const after = (await api.ok('GET', pods)).body.items as PodForm[]
    expect(after.map((pod) => pod.metadata.name).sort()).toEqual(before)
  })
  expect((await api.ok('GET', pods)).body.items.map((pod: PodForm) => pod.status.containerStatuses?.[0]?.restartCount)).toEqual([
    0, 0, 0, 0,
  ])

  stop.abort()
  await watching
  expect(Math.max(...states.map((state) => state.pods))).toBe(6)
  expect(Math.min(...states.map((state) => state.ready))).toBe(4)
  const result = await load.stop()
  expect(result.failures).toEqual([])
  expect(result.sent).toBeGreaterThan(100)
})
