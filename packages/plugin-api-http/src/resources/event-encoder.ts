import type { ApiError, Clock, ObjectView, ServedResource, WatchViewEvent } from '@continuo/core'
import { encodeProtobuf, encodeProtobufEvent, protobufMediaType } from '@continuo/workload'
import type { Wanted } from '../request/negotiate.ts'
import type { Exchange } from '../server/exchange.ts'
import { objectInProtobuf } from './protobuf.ts'
import { eventTable, type IncludeObject, partialJson, readIncludeObject } from './table.ts'

/** What the form of events depends on. */
export interface EventForm {
  readonly exchange: Exchange
  readonly served: ServedResource
  readonly wanted: Wanted
  readonly clock: Clock
}

const newline = Buffer.from('}\n')
const heads = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
  BOOKMARK: Buffer.from('{"type":"BOOKMARK","object":'),
} as const

/** Turns events into what goes over the wire; a plain one is encoded once for all watchers. */
export class EventEncoder {
  readonly #context: EventForm
  readonly #include: IncludeObject
  #headersSent = false

  constructor(context: EventForm) {
    this.#context = context
    this.#include = context.wanted.as === 'Table' ? readIncludeObject(context.exchange.query) : 'None'
  }

  encode(event: WatchViewEvent): Uint8Array {
    const { as, version, mediaType } = this.#context.wanted
    if (event.type === 'BOOKMARK') return this.#bookmark(event)
    const { view, type } = event
    if (mediaType === protobufMediaType)
      return view.encoded(`event/${type}/protobuf/${version ?? ''}`, (one) => encodeProtobufEvent(type, objectInProtobuf(one, version)))
    if (as === undefined) return view.encoded(`event/${type}`, () => Buffer.concat([heads[type], view.json, newline]))
    if (as === 'Table') return Buffer.concat([heads[type], ...this.#table(view, view.resourceVersion), newline])
    return view.encoded(`event/${type}/partial/${version}`, () =>
      Buffer.concat([heads[type], partialJson(view, version as string), newline]),
    )
  }

  #table(view: ObjectView | undefined, resourceVersion: string): Uint8Array[] {
    const { served, wanted, clock } = this.#context
    const chunks = eventTable(
      view,
      served,
      resourceVersion,
      { include: this.#include, version: wanted.version as string, now: clock.now() },
      !this.#headersSent,
    )
    this.#headersSent = true
    return chunks
  }

  #bookmark(event: Extract<WatchViewEvent, { type: 'BOOKMARK' }>): Uint8Array {
    const { served, wanted } = this.#context
    if (wanted.as === 'Table') return Buffer.concat([heads.BOOKMARK, ...this.#table(undefined, event.resourceVersion), newline])
    const metadata = {
      resourceVersion: event.resourceVersion,
      creationTimestamp: null,
      ...(event.initialEventsEnd === true ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    }
    const [kind, apiVersion] =
      wanted.as === undefined ? [served.gvk.kind, served.apiVersion] : ['PartialObjectMetadata', `meta.k8s.io/${wanted.version}`]
    return eventOf('BOOKMARK', { kind, apiVersion, metadata }, wanted)
  }
}

/** An event that is about no stored object. */
const eventOf = (
  type: 'BOOKMARK' | 'ERROR',
  object: { readonly kind: string; readonly apiVersion: string; readonly metadata: object },
  { mediaType }: Wanted,
): Uint8Array =>
  mediaType === protobufMediaType ? encodeProtobufEvent(type, encodeProtobuf(object)) : Buffer.from(`${JSON.stringify({ type, object })}\n`)

/** A fault, told inside the watch. */
export const errorEvent = (error: ApiError, wanted: Wanted): Uint8Array => eventOf('ERROR', error.toStatus(), wanted)
