import type { StoreEntry } from '@continuo/core'
import type { KeyValue } from './etcd-protocol.ts'

/** Keys from `key` on, up to but not including `rangeEnd`. */
export interface KeyRange {
  readonly key: Uint8Array
  readonly rangeEnd: Uint8Array
}

/** Between the keys of the store and those of etcd, which begin with the prefix that this store has there. */
export class KeySpace {
  readonly #prefix: Buffer

  constructor(prefix: string) {
    this.#prefix = Buffer.from(prefix)
  }

  /** A key of etcd that is never written: reading it asks for nothing but the revision. */
  get nothing(): Uint8Array {
    return this.#prefix
  }

  toEtcd(key: string): Uint8Array {
    return Buffer.concat([this.#prefix, Buffer.from(key)])
  }

  /** What lies under a prefix, from `startKey` on. */
  range(prefix: string, startKey?: string): KeyRange {
    const first = this.toEtcd(prefix)
    const start = startKey === undefined ? first : this.toEtcd(startKey)
    return { key: Buffer.compare(start, first) > 0 ? start : first, rangeEnd: behind(first) }
  }

  keyOf(key: Uint8Array): string {
    return Buffer.from(key.buffer, key.byteOffset + this.#prefix.length, key.byteLength - this.#prefix.length).toString()
  }

  entry({ key, value, createRevision, modRevision }: KeyValue): StoreEntry {
    return { key: this.keyOf(key), value, createRevision, modRevision }
  }
}

/** The first key behind all that begin with these bytes. A UTF-8 text has no byte 0xff, so the last one can be raised. */
function behind(prefix: Uint8Array): Uint8Array {
  const end = Buffer.from(prefix)
  end[end.length - 1] = (end.at(-1) as number) + 1
  return end
}
