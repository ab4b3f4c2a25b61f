import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Api, openApi } from '../support/api.ts'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'
import { eventually } from '../support/eventually.ts'
import { type ContainerProcess, containerProcesses, isRunning, processesWith } from '../support/processes.ts'

const pods = '/api/v1/namespaces/default/pods'
const graceSeconds = 4

/** Serves on, whatever it is told; a child of its own ignores signals in a session of its own. */
const stubborn = `
  require('node:child_process').spawn('setsid', ['sh', '-c', 'trap "" TERM HUP INT; while :; do sleep 1; done'], { stdio: 'ignore' })
  process.on('SIGTERM', () => console.log('told to end'))
  require('node:http').createServer((request, response) => response.end(process.env.HOSTNAME)).listen(8080, process.env.POD_IP)`

const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: 'stubborn' } },
  spec: {
    terminationGracePeriodSeconds: graceSeconds,
    volumes: [{ name: 'scratch', emptyDir: {} }],
    containers: [
      {
        name: 'main',
        image: 'host',
        command: ['node', '-e', stubborn],
        volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
        readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
      },
    ],
  },
})

let data: Awaited<ReturnType<typeof dataDirectory>>
let cluster: ClusterProcess
let api: Api

beforeAll(async () => {
  data = await dataDirectory('termination')
  cluster = await startProcess({ dataDir: data.path })
  api = await openApi(cluster.kubeconfig)
})
afterAll(async () => {
  await cluster?.interrupt()
  api?.[Symbol.dispose]()
  await data.remove()
})

/** Whether somebody listens on any port of an address: state 0A of `/proc/net/tcp`. */
function listening(ip: string): boolean {
  const bytes = ip.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  const local = ` ${bytes.reverse().join('').toUpperCase()}:`
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .some((line) => line.includes(local) && line.trim().split(/\s+/)[3] === '0A')
}

const directoriesOf = (uid: string): string[] =>
  readdirSync(data.path, { recursive: true, encoding: 'utf8' }).filter((path) => path.includes(uid)).map((path) => join(data.path, path)) // biome-ignore format: one thought

/** The addresses that a service sends new connections to. */
const readyAddresses = async (): Promise<readonly string[]> => {
  const { items } = (await api.ok('GET', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dstubborn')).body // biome-ignore format: one thought
  return items.flatMap((slice: { endpoints: { addresses: string[]; conditions: { ready?: boolean } }[] | null }) =>
    (slice.endpoints ?? []).filter((endpoint) => endpoint.conditions.ready !== false).flatMap((endpoint) => endpoint.addresses),
  )
}

it('a pod that ignores SIGTERM leaves its service at once and is killed after its grace period, with all that it had', async () => {
  const ports = [{ port: 8080 }]
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'stubborn' }, spec: { selector: { app: 'stubborn' }, ports } }
  const { clusterIP } = (await api.ok('POST', '/api/v1/namespaces/default/services', { body: service })).body.spec
  for (const name of ['goes', 'stays']) await api.ok('POST', pods, { body: pod(name) })
  await eventually(async () => expect(await readyAddresses()).toHaveLength(2))
  const { metadata, status } = (await api.ok('GET', `${pods}/goes`)).body
  const { uid } = metadata
  const main = containerProcesses(data.path, uid).main as ContainerProcess
  expect(processesWith(uid).length).toBeGreaterThanOrEqual(3)
  expect(listening(status.podIP)).toBe(true)

  const told = performance.now()
  const deleted = await api.ok('DELETE', `${pods}/goes`)
  expect(deleted.body.metadata).toMatchObject({ deletionGracePeriodSeconds: graceSeconds })
  await eventually(async () => expect(await readyAddresses()).not.toContain(status.podIP), 2_000, 10)
  const left = performance.now() - told
  expect(isRunning(main)).toBe(true)
  // From now on, and while it still serves its own address, no connection to the service reaches it.
  await eventually(async () => expect(await served(clusterIP, 10)).toEqual(new Set(['stays'])), 1_000)
  for (let round = 0; round < 5; round++) expect(await served(clusterIP, 10)).toEqual(new Set(['stays']))
  expect(await (await fetch(`http://${status.podIP}:8080/`)).text()).toBe('goes')

  await eventually(() => expect(isRunning(main)).toBe(false), graceSeconds * 1_000 + 5_000, 10)
  const ended = performance.now() - told
  expect(left).toBeLessThan(ended)
  expect(ended).toBeGreaterThan((graceSeconds - 1.5) * 1_000)
  expect(ended).toBeLessThan((graceSeconds + 1.5) * 1_000)

  await eventually(async () => expect((await api.send('GET', `${pods}/goes`)).status).toBe(404), 5_000)
  // Whoever sees the object gone knows that nothing is left: no waiting here, except for the shim that reported the end.
  expect(existsSync(join(data.path, 'runtime', 'sandboxes', uid))).toBe(false)
  expect(directoriesOf(uid)).toEqual([])
  expect(listening(status.podIP)).toBe(false)
  await eventually(() => expect(processesWith(uid)).toEqual([]), 1_000)
  expect(await served(clusterIP, 10)).toEqual(new Set(['stays']))

  // Its name is free for another one, which is not taken for it.
  const again = (await api.ok('POST', pods, { body: pod('goes') })).body
  expect(again.metadata.uid).not.toBe(uid)
  await eventually(async () => expect(await readyAddresses()).toHaveLength(2))
})

/** Who answers on the service's address, each time on a new connection. */
async function served(clusterIP: string, times: number): Promise<ReadonlySet<string>> {
  const answers = new Set<string>()
  for (let i = 0; i < times; i++) answers.add(await (await fetch(`http://${clusterIP}:8080/`, { headers: { connection: 'close' } })).text())
  return answers
}

it('a shorter grace period, asked for later, shortens the one under way', async () => {
  await api.ok('POST', pods, { body: { ...pod('long'), spec: { ...pod('long').spec, terminationGracePeriodSeconds: 600 } } })
  await eventually(async () => expect((await api.ok('GET', `${pods}/long`)).body.status.containerStatuses?.[0]?.ready).toBe(true))
  const { uid } = (await api.ok('GET', `${pods}/long`)).body.metadata
  await api.ok('DELETE', `${pods}/long`)
  await eventually(() => expect(readFileSync(join(data.path, 'runtime', 'sandboxes', uid, 'containers', 'main.0', 'log'), 'utf8')).toContain('told to end')) // biome-ignore format: one thought
  const told = performance.now()
  await api.ok('DELETE', `${pods}/long?gracePeriodSeconds=1`)
  await eventually(async () => expect((await api.send('GET', `${pods}/long`)).status).toBe(404), 6_000)
  expect(performance.now() - told).toBeLessThan(4_000)
  await eventually(() => expect(processesWith(uid)).toEqual([]), 1_000)
})

it('a pod deleted by force is gone at once, and what it had follows', async () => {
  await api.ok('POST', pods, { body: pod('forced') })
  await eventually(async () => expect((await api.ok('GET', `${pods}/forced`)).body.status.containerStatuses?.[0]?.ready).toBe(true))
  const { uid } = (await api.ok('GET', `${pods}/forced`)).body.metadata
  await api.ok('DELETE', `${pods}/forced?gracePeriodSeconds=0`)
  expect((await api.send('GET', `${pods}/forced`)).status).toBe(404)
  await eventually(() => {
    expect(processesWith(uid)).toEqual([])
    expect(directoriesOf(uid)).toEqual([])
  }, 5_000)
})

it('what a pod had that is forgotten is removed at the next start', async () => {
  const uid = '6e0f3c1e-0000-4000-8000-000000000000'
  const [node = ''] = readdirSync(join(data.path, 'node'))
  await cluster.interrupt()
  const volume = join(data.path, 'node', node, 'pods', uid, 'volumes', 'scratch')
  mkdirSync(volume, { recursive: true })
  writeFileSync(join(volume, 'file'), 'data')
  cluster = await startProcess({ dataDir: data.path })
  api = await openApi(cluster.kubeconfig)
  await eventually(() => expect(directoriesOf(uid)).toEqual([]), 5_000)
})
