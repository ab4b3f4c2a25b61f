import type { ClientHttp2Session } from 'node:http2'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Api, openApi } from '../support/api.ts'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'
import { type Answered, ask, connectAs } from './http2-client.ts'

/** 5,000 in the nightly run. */
const watchers = Number(process.env.CONTINUO_WATCHERS ?? 500)
const seconds = Number(process.env.CONTINUO_SECONDS ?? 5)
const config = process.env.CONTINUO_OVERLOAD_CONFIG
/** Requests that the greedy user keeps under way. */
const greed = 1_000

let data: Awaited<ReturnType<typeof dataDirectory>>
let cluster: ClusterProcess
let api: Api
const sessions: ClientHttp2Session[] = []

beforeAll(async () => {
  data = await dataDirectory('overload')
  cluster = await startProcess({ dataDir: data.path, config })
  api = await openApi(cluster.kubeconfig)
})
afterAll(async () => {
  for (const session of sessions) session.destroy()
  await cluster?.interrupt()
  api?.[Symbol.dispose]()
  await data.remove()
})

async function openSession(): Promise<ClientHttp2Session> {
  const session = await connectAs(cluster.kubeconfig, api.server)
  sessions.push(session)
  return session
}

const percentile = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] as number

it(`serves leases and another user while one user keeps ${greed} lists under way and ${watchers} watchers look on`, {
  timeout: 120_000,
}, async () => {
  const configMaps = '/api/v1/namespaces/default/configmaps'
  const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases'
  for (const user of ['greedy', 'modest', 'system:kube-scheduler'])
    await api.apply('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: `overload-${user.replaceAll(':', '-')}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }],
    } as never)
  for (let i = 0; i < 400; i++)
    await api.ok('POST', configMaps, { body: { metadata: { name: `c-${i}` }, data: { text: 'x'.repeat(2_000) } } })
  await api.ok('POST', leases, { body: { metadata: { name: 'overload' }, spec: { holderIdentity: 'a', leaseDurationSeconds: 15 } } })

  const watching = await Promise.all(Array.from({ length: Math.ceil(watchers / 500) }, openSession))
  await Promise.all(
    Array.from(
      { length: watchers },
      (_, at) =>
        new Promise((resolve) => {
          const stream = (watching[at % watching.length] as ClientHttp2Session).request({
            ':path': `${configMaps}?watch=true&resourceVersion=0&fieldSelector=metadata.name=w-${at}`,
          })
          stream.on('error', () => {})
          stream.once('response', resolve)
          stream.resume()
        }),
    ),
  )

  const polite = await openSession()
  const leader = await openSession()
  let over = false
  // In a thread of its own: what it takes to be greedy shall not slow down those whose answers are timed.
  const flood = new Worker(new URL('./flood.ts', import.meta.url), {
    workerData: { kubeconfig: cluster.kubeconfig, server: api.server, user: 'greedy', path: configMaps, greed, seconds },
  })
  const flooded = new Promise<readonly Answered[]>((resolve, reject) => {
    flood.once('message', resolve).once('error', reject)
  })
  const steadily = async (next: (at: number) => Promise<Answered>): Promise<readonly Answered[]> => {
    const answers: Answered[] = []
    while (!over) {
      answers.push(await next(answers.length))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return answers
  }
  const modest = steadily((at) => ask(polite, 'modest', `${configMaps}/c-${at % 400}`))
  const renewals = steadily((at) => ask(leader, 'system:kube-scheduler', `${leases}/overload`, 'PATCH', { spec: { leaseTransitions: at } }))
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  over = true
  const [others, leaderAnswers] = [await modest, await renewals]
  const seen = await flooded

  const tell = (answers: readonly Answered[]) => ({
    answers: answers.length,
    refused: answers.filter(({ status }) => status === 429).length,
    p50: Math.round(
      percentile(
        answers.map(({ ms }) => ms),
        0.5,
      ),
    ),
    p99: Math.round(
      percentile(
        answers.map(({ ms }) => ms),
        0.99,
      ),
    ),
  })
  console.info('overload', JSON.stringify({ greedy: tell(seen), modest: tell(others), leader: tell(leaderAnswers) }))
  expect(seen.filter(({ status }) => status !== 200 && status !== 429)).toEqual([])
  for (const { status, retryAfter } of seen) if (status === 429) expect(Number(retryAfter)).toBeGreaterThan(0)
  expect(seen.some(({ status }) => status === 200)).toBe(true)
  expect(others.every(({ status }) => status === 200)).toBe(true)
  expect(leaderAnswers.every(({ status }) => status === 200)).toBe(true)
  // A service level of Kubernetes: single reads and writes within a second.
  expect(
    percentile(
      others.map(({ ms }) => ms),
      0.99,
    ),
  ).toBeLessThan(1_000)
  expect(
    percentile(
      leaderAnswers.map(({ ms }) => ms),
      0.99,
    ),
  ).toBeLessThan(1_000)
})
