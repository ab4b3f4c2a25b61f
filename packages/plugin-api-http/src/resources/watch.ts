import {
  type ApiError,
  type Caller,
  type Clock,
  isApiError,
  type Log,
  type ObjectRef,
  type ObjectService,
  type ObjectView,
  type ServedResource,
  type WatchCursor,
  type WatchViewEvent,
} from '@continuo/core'
import { encodeProtobuf, encodeProtobufEvent, protobufMediaType } from '@continuo/workload'
import type { Wanted } from '../request/negotiate.ts'
import { readWatchOptions } from '../request/query-options.ts'
import { asApiError, beginAnswer } from '../server/answer.ts'
import type { Exchange } from '../server/exchange.ts'
import { keptUp } from '../server/write-pieces.ts'
import { objectInProtobuf } from './protobuf.ts'
import { eventTable, type IncludeObject, partialJson, readIncludeObject } from './table.ts'

/** Events that are taken from the cursor at a time. */
const batch = 128
/** Lines are joined into writes of about this size. */
const joinBytes = 32 * 1024
/** Bytes that may wait in the stream of one watcher, beside what the sockets of the operating system hold. */
const maxBuffered = 512 * 1024

export interface WatchContext {
  readonly exchange: Exchange
  readonly served: ServedResource
  readonly wanted: Wanted
  readonly clock: Clock
  readonly log: Log
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal
}

const newline = Buffer.from('}\n')
const heads = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
  BOOKMARK: Buffer.from('{"type":"BOOKMARK","object":'),
} as const

/** Turns events into what goes over the wire; a plain one is encoded once for all watchers. */
class EventEncoder {
  readonly #context: WatchContext
  readonly #include: IncludeObject
  #headersSent = false

  constructor(context: WatchContext) {
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

const errorEvent = (error: ApiError, wanted: Wanted): Uint8Array => eventOf('ERROR', error.toStatus(), wanted)

/** JSON watches say nothing of being a stream, as in Kubernetes. */
const contentTypeOf = ({ mediaType }: Wanted): string => (mediaType === protobufMediaType ? `${protobufMediaType};stream=watch` : mediaType)

/** Begins the watch that the request asks for and writes it until it ends. Throws ApiError for a watch that cannot begin. */
export async function runWatch(
  context: WatchContext,
  service: ObjectService,
  ref: ObjectRef,
  defaultTimeoutSeconds: number,
  caller: Caller,
): Promise<void> {
  const { exchange } = context
  const read = readWatchOptions(exchange.query ?? new URLSearchParams(), defaultTimeoutSeconds)
  const fieldSelector = [read.fieldSelector, ref.name === '' ? undefined : `metadata.name=${ref.name}`]
    .filter((term) => term !== undefined)
    .join(',')
  let cursor: WatchCursor
  try {
    cursor = await service.watch(ref, fieldSelector === '' ? read : { ...read, fieldSelector }, caller)
  } catch (error) {
    // A version that is too old is told inside the watch, where clients look for it.
    if (!isApiError(error) || error.status !== 410) throw error
    beginAnswer(exchange, 200, contentTypeOf(context.wanted))
    exchange.response.end(errorEvent(error, context.wanted))
    return
  }
  // From here on it costs only its events.
  exchange.place?.leave()
  await streamWatch(context, cursor)
}

/** Writes what a watcher asked for until it, the cursor or the server ends. Never throws; always closes the cursor. */
async function streamWatch(context: WatchContext, cursor: WatchCursor): Promise<void> {
  const { exchange, stopping } = context
  const { response } = exchange
  const end = (): void => cursor.close()
  response.once('close', end)
  stopping.addEventListener('abort', end, { once: true })
  try {
    if (exchange.isGone) return
    beginAnswer(exchange, 200, contentTypeOf(context.wanted))
    response.flushHeaders()
    await pump(context, cursor, new EventEncoder(context))
  } catch (error) {
    if (!exchange.isGone) response.write(errorEvent(isApiError(error) ? error : asApiError(error, context.log, 'watch'), context.wanted))
  } finally {
    cursor.close()
    response.off('close', end)
    stopping.removeEventListener('abort', end)
    if (!exchange.isGone) response.end()
  }
}

/** Joins the lines of a batch into few writes. */
function* writesOf(events: readonly WatchViewEvent[], encoder: EventEncoder): Generator<Uint8Array> {
  let lines: Uint8Array[] = []
  let size = 0
  for (const event of events) {
    const line = encoder.encode(event)
    lines.push(line)
    size += line.length
    if (size < joinBytes) continue
    yield lines.length === 1 ? line : Buffer.concat(lines, size)
    lines = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(lines, size)
}

/** The response's `close` closes the cursor, so an ended cursor is all that has to be looked at on the way of each event. */
async function pump({ exchange, clock }: WatchContext, cursor: WatchCursor, encoder: EventEncoder): Promise<void> {
  const { response } = exchange
  const mustWait = (bytes: Uint8Array): boolean => !response.write(bytes) && response.writableLength > maxBuffered
  for (;;) {
    const events = cursor.take(batch)
    if (events.length === 0) {
      if (cursor.ended) return
    } else if (events.length === 1) {
      if (mustWait(encoder.encode(events[0] as WatchViewEvent)) && !(await keptUp(exchange, clock))) return
    } else {
      for (const bytes of writesOf(events, encoder)) {
        if (exchange.isGone) return
        if (mustWait(bytes) && !(await keptUp(exchange, clock))) return
      }
    }
    if (events.length < batch) await cursor.ready()
  }
}
