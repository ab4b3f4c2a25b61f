import type { Store } from '@continuo/core'
import { storeChecks } from '@continuo/testkit'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { EtcdStore } from '../../packages/plugin-store-etcd/src/index.ts'
import { type Etcd, etcdMissing, etcdNote, startEtcd } from '../support/etcd.ts'

/** One store whose calls go by turns through several: as if every client sat at another member. */
function byTurns(stores: readonly Store[]): Store {
  let turn = 0
  const next = (): Store => stores[turn++ % stores.length] as Store
  const { limits, features } = next()
  return {
    limits,
    features,
    get: (...args) => next().get(...args),
    list: (...args) => next().list(...args),
    commit: (transaction) => next().commit(transaction),
    watch: (...args) => next().watch(...args),
    compact: (revision) => next().compact(revision),
    head: () => next().head(),
    compactedRevision: () => next().compactedRevision(),
    close: async () => void (await Promise.all(stores.map((store) => store.close()))),
  }
}

describe.skipIf(etcdMissing !== undefined)(`the store suite, each call at another of three members${etcdNote}`, () => {
  let etcd: Etcd
  beforeAll(async () => {
    etcd = await startEtcd({ members: 3 })
  })
  afterAll(() => etcd?.stop())

  it.each(storeChecks.map((check) => [check.name, check] as const))('%s', async (name, check) => {
    const store = byTurns(etcd.endpoints.map((endpoint) => new EtcdStore({ endpoints: [endpoint], prefix: `${name}:` })))
    try {
      await check.run(store)
    } finally {
      await store.close()
    }
  })
})
