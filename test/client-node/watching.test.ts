import { fileURLToPath } from 'node:url'
import { type ADD, CoreV1Api, type Informer, makeInformer, type V1ConfigMap, Watch } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { refusal, type StockCluster, startStockCluster } from './stock-cluster.ts'

const namespace = 'default'
const path = `/api/v1/namespaces/${namespace}/configmaps`

/** An informer that starts again after an error, as its documentation advises, and what it has told. */
function restarting(cluster: StockCluster, labelSelector: string) {
  const core = cluster.config.makeApiClient(CoreV1Api)
  const informer = makeInformer<V1ConfigMap>(
    cluster.config,
    path,
    () => core.listNamespacedConfigMap({ namespace, labelSelector }),
    labelSelector,
  )
  const events: string[] = []
  let stopped = false
  for (const verb of ['add', 'update', 'delete'] as const)
    informer.on(verb as typeof ADD, (object) => events.push(`${verb} ${object.metadata?.name} ${object.data?.n ?? ''}`.trim()))
  informer.on('error', () => {
    if (!stopped) setTimeout(() => void informer.start(), 100)
  })
  onTestFinished(async () => {
    stopped = true
    await informer.stop()
  })
  return { informer: informer as Informer<V1ConfigMap> & typeof informer, events }
}

describe('@kubernetes/client-node, watches and informers', () => {
  let cluster: StockCluster
  beforeAll(async () => {
    cluster = await startStockCluster({ config: fileURLToPath(new URL('../support/short-memory.yaml', import.meta.url)) })
  })
  afterAll(async () => {
    await cluster?.stop()
    expect(cluster?.faults()).toEqual([])
  })

  const write = async (name: string, n: number, group: string): Promise<void> => {
    const body = { metadata: { name, labels: { group } }, data: { n: String(n) } }
    if (n === 1) await cluster.core.createNamespacedConfigMap({ namespace, body })
    else await cluster.core.replaceNamespacedConfigMap({ name, namespace, body })
  }

  it('a watch tells every change after its resourceVersion, in order, with bookmarks', async () => {
    const { resourceVersion } = (await cluster.core.listNamespacedConfigMap({ namespace })).metadata ?? {}
    const told: string[] = []
    let ended = 0
    const watching = await new Watch(cluster.config).watch(
      path,
      { resourceVersion, allowWatchBookmarks: true, labelSelector: 'group=plain', timeoutSeconds: 2 },
      (type, object) => told.push(`${type} ${type === 'BOOKMARK' ? '' : `${object.metadata.name} ${object.data.n}`}`.trim()),
      () => ended++,
    )
    onTestFinished(() => watching.abort())
    await write('w', 1, 'plain')
    await write('w', 2, 'plain')
    await write('w', 3, 'other')
    await write('w', 4, 'plain')
    await cluster.core.deleteNamespacedConfigMap({ name: 'w', namespace })
    // What leaves a selection is told as it was within it. The server ends the watch at its time, by a bookmark.
    await eventually(() => expect(ended).toBe(1))
    expect(told).toEqual(['ADDED w 1', 'MODIFIED w 2', 'DELETED w 2', 'ADDED w 4', 'DELETED w 4', 'BOOKMARK'])
  })

  it('a list that is streamed ends with its bookmark', async () => {
    await write('streamed', 1, 'streamed')
    const told: string[] = []
    const watching = await new Watch(cluster.config).watch(
      path,
      { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true, labelSelector: 'group=streamed' },
      (type, object) => told.push(`${type} ${object.metadata.name ?? JSON.stringify(object.metadata.annotations)}`),
      () => undefined,
    )
    onTestFinished(() => watching.abort())
    await eventually(() => expect(told).toEqual(['ADDED streamed', 'BOOKMARK {"k8s.io/initial-events-end":"true"}']))
  })

  it('an informer follows a selection', async () => {
    await write('a', 1, 'informed')
    const { informer, events } = restarting(cluster, 'group=informed')
    await informer.start()
    expect(informer.list().map((object) => object.metadata?.name)).toEqual(['a'])
    await write('a', 2, 'informed')
    await write('b', 1, 'informed')
    await write('a', 3, 'elsewhere')
    await eventually(() => expect(events).toEqual(['add a 1', 'update a 2', 'add b 1', 'delete a 2']))
    expect(informer.get('b', namespace)?.data).toEqual({ n: '1' })
  })

  it('an informer begins anew when its resourceVersion is too old', async () => {
    await write('old', 1, 'expired')
    const { informer, events } = restarting(cluster, 'group=expired')
    await informer.start()
    // A client that sleeps wakes with the version that it had: the server remembers for a second.
    const { resourceVersion } = (await cluster.core.listNamespacedConfigMap({ namespace })).metadata ?? {}
    await informer.stop()
    let n = 2
    await eventually(async () => {
      await write('old', n++, 'expired')
      const refused = await refusal(cluster.core.listNamespacedConfigMap({ namespace, resourceVersion, resourceVersionMatch: 'Exact' }))
      expect(refused.code).toBe(410)
    }, 30_000)
    // What a server has seen itself it can still tell; a new one has what the store has.
    await cluster.crash()
    const told: string[] = []
    const raw = await new Watch(cluster.config).watch(
      path,
      { resourceVersion },
      (type, object) => told.push(`${type} ${object.code}`),
      () => undefined,
    )
    onTestFinished(() => raw.abort())
    await eventually(() => expect(told).toEqual(['ERROR 410']))
    await informer.start()
    await write('old', n, 'expired')
    await eventually(() => expect(events.at(-1)).toBe(`update old ${n}`))
    expect(informer.list()).toHaveLength(1)
  })

  it('an informer misses nothing over a crash of the API and its restart', async () => {
    for (let index = 0; index < 5; index++) await write(`c${index}`, 1, 'crash')
    const { informer, events } = restarting(cluster, 'group=crash')
    await informer.start()
    await eventually(() => expect(events).toHaveLength(5))
    for (let round = 2; round < 4; round++) {
      await write('c0', round, 'crash')
      await cluster.crash()
      await write('c1', round, 'crash')
    }
    await cluster.core.deleteNamespacedConfigMap({ name: 'c2', namespace })
    await eventually(() => {
      expect(informer.get('c0', namespace)?.data).toEqual({ n: '3' })
      expect(informer.get('c1', namespace)?.data).toEqual({ n: '3' })
      expect(informer.get('c2', namespace)).toBeUndefined()
      expect(events).toContain('delete c2 1')
    })
    expect(informer.list()).toHaveLength(4)
  }, 60_000)
})
