import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { Namespace } from '@continuo/core'
import { type ClientCheck, names, refusal } from './client-check.ts'

export const deletionChecks: readonly ClientCheck[] = [
  {
    name: 'delete gives the object as it was last',
    async run({ gauges, gauge, at }) {
      const made = await gauges.create(gauge('a', { size: 3 }))
      const gone = await gauges.delete(at('a'))
      deepEqual([gone.metadata.uid, gone.spec], [made.metadata.uid, { size: 3 }])
      await refusal(gauges.get(at('a')), 'NotFound', 404)
      ok((await gauges.create(gauge('a'))).metadata.uid !== made.metadata.uid)
    },
  },
  {
    name: 'finalizers hold a deletion until the last one goes',
    async run({ gauges, gauge, at }) {
      await gauges.create(gauge('a', {}, { finalizers: ['suite.continuo.dev/one', 'suite.continuo.dev/two'] }))
      const marked = await gauges.delete(at('a'))
      match(marked.metadata.deletionTimestamp ?? '', /Z$/)
      equal(marked.metadata.deletionGracePeriodSeconds, 0)
      const again = await gauges.delete(at('a'))
      equal(again.metadata.resourceVersion, marked.metadata.resourceVersion)
      await refusal(
        gauges.patch(at('a'), { type: 'merge', body: { metadata: { finalizers: ['suite.continuo.dev/one', 'suite.continuo.dev/new'] } } }),
        'Invalid',
        422,
      )
      const one = await gauges.patch(at('a'), { type: 'merge', body: { metadata: { finalizers: ['suite.continuo.dev/two'] } } })
      deepEqual(one.metadata.finalizers, ['suite.continuo.dev/two'])
      await gauges.patch(at('a'), { type: 'merge', body: { metadata: { finalizers: null } } })
      await refusal(gauges.get(at('a')), 'NotFound', 404)
    },
  },
  {
    name: 'preconditions on uid and version are kept',
    async run({ gauges, gauge, at }) {
      const made = await gauges.create(gauge('a'))
      await refusal(gauges.delete(at('a'), { preconditions: { uid: 'other' } }), 'Conflict', 409)
      const next = await gauges.update({ ...made, spec: { size: 2 } })
      await refusal(gauges.delete(at('a'), { preconditions: { resourceVersion: made.metadata.resourceVersion ?? '' } }), 'Conflict', 409)
      await gauges.delete(at('a'), {
        preconditions: { uid: next.metadata.uid ?? '', resourceVersion: next.metadata.resourceVersion ?? '' },
      })
      await refusal(gauges.get(at('a')), 'NotFound', 404)
    },
  },
  {
    name: 'propagation leaves its finalizer for the garbage collector',
    async run({ gauges, gauge, at }) {
      await gauges.create(gauge('a'))
      await gauges.create(gauge('b'))
      deepEqual((await gauges.delete(at('a'), { propagationPolicy: 'Foreground' })).metadata.finalizers, ['foregroundDeletion'])
      deepEqual((await gauges.delete(at('b'), { propagationPolicy: 'Orphan' })).metadata.finalizers, ['orphan'])
      ok((await gauges.get(at('a'))).metadata.deletionTimestamp)
    },
  },
  {
    name: 'deleteCollection takes what the selectors choose and nothing else',
    async run({ gauges, gauge, namespace }) {
      for (let i = 0; i < 6; i++) await gauges.create(gauge(`d${i}`, { owner: i < 4 ? 'me' : 'you' }, { labels: { half: String(i % 2) } }))
      equal(await gauges.deleteCollection({ namespace, labelSelector: 'half=0', fieldSelector: 'spec.owner=me' }), 2)
      deepEqual(names(await gauges.list({ namespace })), ['d1', 'd3', 'd4', 'd5'])
      equal(await gauges.deleteCollection({ namespace }), 4)
      deepEqual(names(await gauges.list({ namespace })), [])
    },
  },
  {
    name: 'a namespace that ends takes no more objects',
    async run({ client, gauges, gauge, namespace }) {
      await gauges.create(gauge('a', {}, { finalizers: ['suite.continuo.dev/hold'] }))
      const ending = await client.for(Namespace).delete(namespace)
      equal(ending.status?.phase, 'Terminating')
      const error = await refusal(gauges.create(gauge('b')), 'Forbidden', 403)
      equal(error.details?.causes?.[0]?.reason, 'NamespaceTerminating')
      await gauges.patch(`${namespace}/a`, { type: 'merge', body: { metadata: { finalizers: null } } }).catch(() => {})
    },
  },
  {
    name: "the system's namespaces are not deleted",
    async run({ client }) {
      for (const name of ['default', 'kube-system', 'kube-public']) await refusal(client.for(Namespace).delete(name), 'Forbidden', 403)
    },
  },
]
