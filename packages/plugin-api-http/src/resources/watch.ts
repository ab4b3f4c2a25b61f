import {
  type ApiError,
  type Caller,
  type Clock,
  isApiError,
  type Log,
  type ObjectRef,
  type ObjectService,
  type ServedResource,
  type WatchCursor,
  type WatchViewEvent,
} from '@continuo/core'
import { protobufMediaType } from '@continuo/workload'
import type { Wanted } from '../request/negotiate.ts'
import { readWatchOptions } from '../request/query-options.ts'
import { asApiError, beginAnswer } from '../server/answer.ts'
import type { Exchange } from '../server/exchange.ts'
import { keptUp } from '../server/write-pieces.ts'
import { EventEncoder, errorEvent } from './event-encoder.ts'

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
  /** How long this watch goes on when the server stops: thousands that end in one instant would come back to another server in one instant. */
  readonly lingerMs: () => number
  /** Watches over the right to watch while the watch is open: `revoked` is called, once, with the refusal when it is gone. */
  readonly whileAllowed: (revoked: (error: ApiError) => void) => Disposable
}

/** JSON watches say nothing of being a stream, as in Kubernetes. */
const contentTypeOf = ({ mediaType }: Wanted): string => (mediaType === protobufMediaType ? `${protobufMediaType};stream=watch` : mediaType)

/** A cursor for what the request asks for. Throws ApiError. */
export function openWatch(
  { exchange }: WatchContext,
  service: ObjectService,
  ref: ObjectRef,
  defaultTimeoutSeconds: number,
  caller: Caller,
): Promise<WatchCursor> {
  const read = readWatchOptions(exchange.query ?? new URLSearchParams(), defaultTimeoutSeconds)
  const fieldSelector = [read.fieldSelector, ref.name === '' ? undefined : `metadata.name=${ref.name}`]
    .filter((term) => term !== undefined)
    .join(',')
  return service.watch(ref, fieldSelector === '' ? read : { ...read, fieldSelector }, caller)
}

/** Begins the watch that the request asks for and writes it until it ends. Throws ApiError for a watch that cannot begin. */
export async function runWatch(
  context: WatchContext,
  service: ObjectService,
  ref: ObjectRef,
  defaultTimeoutSeconds: number,
  caller: Caller,
): Promise<void> {
  const { exchange } = context
  let cursor: WatchCursor
  try {
    cursor = await openWatch(context, service, ref, defaultTimeoutSeconds, caller)
  } catch (error) {
    // A version that is too old is told inside the watch, where clients look for it.
    if (!isApiError(error) || error.status !== 410) throw error
    beginAnswer(exchange, 200, contentTypeOf(context.wanted))
    exchange.audit?.started(200)
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
  let refusal: ApiError | undefined
  const right = context.whileAllowed((error) => {
    refusal = error
    cursor.close()
  })
  response.once('close', end)
  const endSoon = (): void => void context.clock.after(context.lingerMs(), end)
  stopping.addEventListener('abort', endSoon, { once: true })
  try {
    if (exchange.isGone) return
    beginAnswer(exchange, 200, contentTypeOf(context.wanted))
    exchange.audit?.started(200)
    response.flushHeaders()
    await pump(context, cursor, new EventEncoder(context))
    if (refusal !== undefined && !exchange.isGone) response.write(errorEvent(refusal, context.wanted))
  } catch (error) {
    if (!exchange.isGone) response.write(errorEvent(isApiError(error) ? error : asApiError(error, context.log, 'watch'), context.wanted))
  } finally {
    cursor.close()
    right[Symbol.dispose]()
    response.off('close', end)
    stopping.removeEventListener('abort', endSoon)
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
