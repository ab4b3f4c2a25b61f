import { fileURLToPath } from 'node:url'
import type { MethodDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

/** Messages of `proto/rpc.proto` as they are sent (fields may be left out) and as they arrive (every field is there). */
export interface KeyValue {
  readonly key: Uint8Array
  readonly createRevision: number
  readonly modRevision: number
  /** Writes of the key since its creation; 0 in the event of a deletion. */
  readonly version: number
  readonly value: Uint8Array
}

interface Answer {
  readonly header: { readonly revision: number }
}

export interface RangeRequest {
  readonly key: Uint8Array
  readonly rangeEnd?: Uint8Array
  readonly limit?: number
  readonly revision?: number
  readonly countOnly?: boolean
}

export interface RangeResponse extends Answer {
  readonly kvs: readonly KeyValue[]
  readonly count: number
}

export type RequestOp =
  | { readonly requestRange: RangeRequest }
  | { readonly requestPut: { readonly key: Uint8Array; readonly value: Uint8Array } }
  | { readonly requestDeleteRange: { readonly key: Uint8Array } }

export interface TxnRequest {
  readonly compare: readonly { readonly target: 'MOD'; readonly key: Uint8Array; readonly modRevision: number }[]
  readonly success: readonly RequestOp[]
  readonly failure: readonly RequestOp[]
}

export interface TxnResponse extends Answer {
  readonly succeeded: boolean
  readonly responses: readonly { readonly responseRange?: RangeResponse }[]
}

export interface WatchRequest {
  readonly createRequest: {
    readonly key: Uint8Array
    readonly rangeEnd?: Uint8Array
    readonly startRevision: number
    readonly progressNotify?: boolean
    readonly prevKv?: boolean
    readonly fragment?: boolean
  }
}

export interface WatchEvent {
  readonly type: 'PUT' | 'DELETE'
  readonly kv: KeyValue
  readonly prevKv: KeyValue | null
}

export interface WatchResponse extends Answer {
  readonly created: boolean
  readonly canceled: boolean
  readonly compactRevision: number
  readonly cancelReason: string
  /** More of the same response follows. */
  readonly fragment: boolean
  readonly events: readonly WatchEvent[]
}

interface Services {
  readonly 'etcdserverpb.KV': {
    readonly Range: MethodDefinition<RangeRequest, RangeResponse>
    readonly Txn: MethodDefinition<TxnRequest, TxnResponse>
    readonly Compact: MethodDefinition<{ readonly revision: number }, Answer>
  }
  readonly 'etcdserverpb.Watch': { readonly Watch: MethodDefinition<WatchRequest, WatchResponse> }
  readonly 'etcdserverpb.Maintenance': { readonly Status: MethodDefinition<object, Answer & { readonly version: string }> }
}

const protocol = loadSync(fileURLToPath(new URL('../proto/rpc.proto', import.meta.url)), {
  longs: Number,
  enums: String,
  defaults: true,
}) as unknown as Services

export const kv = protocol['etcdserverpb.KV']
export const watch = protocol['etcdserverpb.Watch'].Watch
export const status = protocol['etcdserverpb.Maintenance'].Status
