import type { Store, StoreTransaction } from './store.ts'
import { StoreError } from './store-error.ts'

/** What etcd grants one transaction, and therefore what every store grants: a cluster can move between them. */
export const defaultStoreLimits: Store['limits'] = { maxOps: 128, maxBytes: 1_572_864 }

/**
 * Checks what can be said about a transaction without looking at the data.
 * Throws `STORE_TOO_LARGE` or `STORE_INVALID`. Returns the bytes of its keys and values.
 */
export function checkTransaction({ conditions, writes }: StoreTransaction, limits: Store['limits']): number {
  const ops = conditions.length + writes.length
  if (ops > limits.maxOps) {
    throw new StoreError('STORE_TOO_LARGE', `the transaction has ${ops} operations, the store takes ${limits.maxOps}`, {
      hint: 'Commit in several steps.',
    })
  }
  const written = new Set<string>()
  let bytes = 0
  for (const { key } of conditions) bytes += keyBytes(key)
  for (const write of writes) {
    if (written.has(write.key)) throw new StoreError('STORE_INVALID', `the transaction writes the key ${JSON.stringify(write.key)} twice`)
    written.add(write.key)
    bytes += keyBytes(write.key) + (write.type === 'put' ? write.value.byteLength : 0)
  }
  if (bytes > limits.maxBytes) {
    throw new StoreError('STORE_TOO_LARGE', `the transaction has ${bytes} bytes, the store takes ${limits.maxBytes}`, {
      hint: 'Store less in one object.',
    })
  }
  return bytes
}

function keyBytes(key: string): number {
  if (key === '' || key.includes('\0') || !key.isWellFormed()) {
    throw new StoreError('STORE_INVALID', `${JSON.stringify(key)} is not a key: it must be well-formed, not empty, and without NUL`)
  }
  return Buffer.byteLength(key)
}
