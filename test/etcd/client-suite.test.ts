import { gaugeResource, objectClientSuite } from '@continuo/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { EtcdStore } from '../../packages/plugin-store-etcd/src/index.ts'
import { localClient, startApi } from '../client-http/running-api.ts'
import { type Etcd, etcdMissing, etcdNote, startEtcd } from '../support/etcd.ts'

describe.skipIf(etcdMissing !== undefined)(`both clients of an API on etcd${etcdNote}`, () => {
  let etcd: Etcd
  beforeAll(async () => {
    etcd = await startEtcd()
  })
  afterAll(() => etcd?.stop())

  for (const way of ['local', 'HTTP/2'] as const) {
    objectClientSuite(`${way}, on etcd`, async () => {
      const store = new EtcdStore({ endpoints: etcd.endpoints, prefix: `${way}:` })
      const api = await startApi({ kinds: [gaugeResource], store })
      const client = way === 'local' ? localClient(api) : await api.connect()
      const dispose = async () => {
        await api[Symbol.asyncDispose]()
        await store.close()
      }
      return { client, compact: () => api.compact(), dispose }
    })
  }
})
