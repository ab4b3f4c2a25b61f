import { storeSuite } from '@continuo/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { type Etcd, etcdMissing, etcdNote, startEtcd } from '../../../test/support/etcd.ts'
import { EtcdStore } from '../src/index.ts'

describe.skipIf(etcdMissing !== undefined)(`etcd${etcdNote}`, () => {
  let etcd: Etcd
  let stores = 0
  beforeAll(async () => {
    etcd = await startEtcd()
  }, 30_000)
  afterAll(() => etcd?.stop())

  storeSuite('etcd', async () => {
    const store = new EtcdStore({ endpoints: etcd.endpoints, prefix: `suite-${stores++}:` })
    return { store, dispose: () => store.close() }
  })
})
