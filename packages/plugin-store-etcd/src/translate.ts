import type { CommitResult, StoreEntry, StoreTransaction } from '@continuo/core'
import type { RequestOp, TxnRequest, TxnResponse } from './etcd-protocol.ts'
import type { KeySpace } from './key-space.ts'

/** A transaction as etcd takes it: when a condition fails, it reads the keys of all conditions in the same moment. */
export function txnOf({ conditions, writes }: StoreTransaction, keys: KeySpace): TxnRequest {
  return {
    compare: conditions.map(({ key, modRevision }) => ({ target: 'MOD', key: keys.toEtcd(key), modRevision })),
    success: writes.map(
      (write): RequestOp =>
        write.type === 'put'
          ? { requestPut: { key: keys.toEtcd(write.key), value: write.value } }
          : { requestDeleteRange: { key: keys.toEtcd(write.key) } },
    ),
    failure: conditions.map(({ key }) => ({ requestRange: { key: keys.toEtcd(key) } })),
  }
}

/** The answer to {@link txnOf} of the same transaction. */
export function commitResultOf({ conditions }: StoreTransaction, answer: TxnResponse, keys: KeySpace): CommitResult {
  const { revision } = answer.header
  if (answer.succeeded) return { committed: true, revision }
  const failed = conditions.flatMap(({ key, modRevision }, index) => {
    const found = answer.responses[index]?.responseRange?.kvs[0]
    const current: StoreEntry | undefined = found === undefined ? undefined : keys.entry(found)
    return (current?.modRevision ?? 0) === modRevision ? [] : [{ key, current }]
  })
  return { committed: false, revision, failed }
}
