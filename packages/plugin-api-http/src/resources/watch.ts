import { type ApiError, type Clock, isApiError, type Log, type ServedResource, type WatchCursor, type WatchViewEvent } from '@continuo/core'
import type { Wanted } from '../request/negotiate.ts'
import { asApiError, beginAnswer, drained } from '../server/answer.ts'
import type { Exchange } from '../server/exchange.ts'
import { type IncludeObject, partialJson, readIncludeObject, tableChunks } from './table.ts'

/** Events that are taken from the cursor at a time. */
const batch = 128
/** Lines are joined into writes of about this size. */
const joinBytes = 32 * 1024
/** Bytes that may wait in the stream of one watcher, beside what the sockets of the operating system hold. */
const maxBuffered = 512 * 1024
/** A watcher that takes nothing for so long is cut off. */
const stallMs = 60_000

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
} as const

/** Turns events into lines; a plain one is encoded once for all watchers. */
class LineEncoder {
  readonly #context: WatchContext
  readonly #include: IncludeObject
  #headersSent = false

  constructor(context: WatchContext) {
    this.#context = context
    this.#include = context.wanted.as === 'Table' ? readIncludeObject(context.exchange.query) : 'None'
  }

  line(event: WatchViewEvent): Uint8Array {
    if (event.type === 'BOOKMARK') return this.#bookmark(event)
    const { view, type } = event
    const { as, version } = this.#context.wanted
    if (as === undefined) return view.encoded(`event/${type}`, () => Buffer.concat([heads[type], view.json, newline]))
    if (as === 'Table') return Buffer.concat([heads[type], ...this.#table([view], { resourceVersion: view.resourceVersion }), newline])
    return view.encoded(`event/${type}/partial/${version}`, () =>
      Buffer.concat([heads[type], partialJson(view, version as string), newline]),
    )
  }

  #table(views: Parameters<typeof tableChunks>[0], metadata: object): Uint8Array[] {
    const { served, wanted, clock } = this.#context
    const chunks = [
      ...tableChunks(
        views,
        served,
        metadata,
        { include: this.#include, version: wanted.version as string, now: clock.now() },
        !this.#headersSent,
      ),
    ]
    this.#headersSent = true
    // The table's own line end would split the event.
    chunks[chunks.length - 1] = Buffer.from(']}')
    return chunks
  }

  #bookmark(event: Extract<WatchViewEvent, { type: 'BOOKMARK' }>): Uint8Array {
    const { served, wanted } = this.#context
    const metadata = {
      resourceVersion: event.resourceVersion,
      creationTimestamp: null,
      ...(event.initialEventsEnd === true ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    }
    if (wanted.as === 'Table')
      return Buffer.concat([
        Buffer.from('{"type":"BOOKMARK","object":'),
        ...this.#table([], { resourceVersion: event.resourceVersion }),
        newline,
      ])
    const [kind, apiVersion] =
      wanted.as === undefined ? [served.gvk.kind, served.apiVersion] : ['PartialObjectMetadata', `meta.k8s.io/${wanted.version}`]
    return Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object: { kind, apiVersion, metadata } })}\n`)
  }
}

export const errorLine = (error: ApiError): Uint8Array => Buffer.from(`${JSON.stringify({ type: 'ERROR', object: error.toStatus() })}\n`)

/** Writes what a watcher asked for until it, the cursor or the server ends. Never throws; always closes the cursor. */
export async function streamWatch(context: WatchContext, cursor: WatchCursor): Promise<void> {
  const { exchange, stopping } = context
  const { response } = exchange
  const end = (): void => cursor.close()
  response.once('close', end)
  stopping.addEventListener('abort', end, { once: true })
  try {
    if (exchange.isGone) return
    beginAnswer(exchange, 200, 'application/json')
    response.flushHeaders()
    await pump(context, cursor, new LineEncoder(context))
  } catch (error) {
    if (!exchange.isGone) write(exchange, errorLine(isApiError(error) ? error : asApiError(error, context.log, 'watch')))
  } finally {
    cursor.close()
    response.off('close', end)
    stopping.removeEventListener('abort', end)
    if (!exchange.isGone) response.end()
  }
}

async function pump(context: WatchContext, cursor: WatchCursor, encoder: LineEncoder): Promise<void> {
  const { exchange } = context
  while (!exchange.isGone) {
    const events = cursor.take(batch)
    if (events.length === 0) {
      if (cursor.ended) return
      await cursor.ready()
      continue
    }
    if (events.length === 1) {
      write(exchange, encoder.line(events[0] as WatchViewEvent))
      if (exchange.response.writableLength > maxBuffered && !(await keptUp(context))) return
      continue
    }
    let lines: Uint8Array[] = []
    let size = 0
    for (const event of events) {
      const line = encoder.line(event)
      lines.push(line)
      size += line.length
      if (size < joinBytes) continue
      write(exchange, lines.length === 1 ? line : Buffer.concat(lines, size))
      lines = []
      size = 0
      if (exchange.response.writableLength > maxBuffered && !(await keptUp(context))) return
    }
    if (size > 0) write(exchange, Buffer.concat(lines, size))
    if (exchange.response.writableLength > maxBuffered && !(await keptUp(context))) return
  }
}

const write = (exchange: Exchange, bytes: Uint8Array): void => {
  exchange.response.write(bytes)
}

/** Waits until the client has taken what was written; false when it did not in time, and its connection is cut. */
async function keptUp(context: WatchContext): Promise<boolean> {
  const { exchange, clock } = context
  let stalled = false
  const cancel = clock.after(stallMs, () => {
    stalled = true
    exchange.response.destroy()
  })
  await drained(exchange)
  cancel()
  return !stalled
}
