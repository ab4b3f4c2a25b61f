import type { IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import type { Duplex } from 'node:stream'
import { ApiError, type Caller, type Clock, isApiError, type ObjectRef, type ObjectService, type WatchCursor } from '@continuo/core'
import { protobufMediaType } from '@continuo/workload'
import type { WebSocket } from 'ws'
import { asApiError } from '../server/answer.ts'
import { EventEncoder, errorEvent } from './event-encoder.ts'
import { openWatch, type WatchContext } from './watch.ts'

/** The request to be upgraded, as Node.js hands it over. */
export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/** Events that are taken from the cursor at a time. */
const batch = 128
/** A client that takes nothing for so long is cut off. */
const stallMs = 60_000
/** Clients have nothing to say; what they say all the same is dropped. */
const maxMessageBytes = 4_096
/** Bytes of length before a protobuf event: messages have their own. */
const frameHead = 4

/** Loaded with the first watch of this kind: few clients are browsers. */
const loadWs = (): typeof import('ws') => createRequire(import.meta.url)('ws')

/**
 * A watch over a WebSocket, one event for each message: text for JSON, binary for protobuf. The upgrade is answered when the watch
 * has begun. Throws ApiError for a watch that cannot begin.
 */
export async function runWatchSocket(
  context: WatchContext,
  service: ObjectService,
  ref: ObjectRef,
  defaultTimeoutSeconds: number,
  caller: Caller,
  upgrade: Upgrade,
): Promise<void> {
  let cursor: WatchCursor | undefined
  let expired: ApiError | undefined
  try {
    cursor = await openWatch(context, service, ref, defaultTimeoutSeconds, caller)
  } catch (error) {
    if (!isApiError(error) || error.status !== 410) throw error
    expired = error
  }
  try {
    const socket = await accept(upgrade)
    const sender = new EventSender(socket, context)
    if (cursor === undefined) await sender.send(errorEvent(expired as ApiError, context.wanted))
    else await stream(context, cursor, socket, sender)
    socket.close()
  } finally {
    cursor?.close()
  }
}

function accept({ request, socket, head }: Upgrade): Promise<WebSocket> {
  const { WebSocketServer } = loadWs()
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: maxMessageBytes })
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new ApiError('BadRequest', 'the WebSocket could not be opened')))
    server.on('wsClientError', ({ message }) => reject(new ApiError('BadRequest', `the WebSocket could not be opened: ${message}`)))
    server.handleUpgrade(request, socket, head, resolve)
  })
}

/** Sends events one after the other, no faster than the client takes them. */
class EventSender {
  readonly #socket: WebSocket
  readonly #clock: Clock
  readonly #binary: boolean

  constructor(socket: WebSocket, { wanted, clock }: WatchContext) {
    this.#socket = socket
    this.#clock = clock
    this.#binary = wanted.mediaType === protobufMediaType
  }

  send(event: Uint8Array): Promise<void> {
    const bytes = this.#binary ? event.subarray(frameHead) : event
    return new Promise((resolve) => {
      const cancel = this.#clock.after(stallMs, () => this.#socket.terminate())
      // A client that is gone is told by the socket's `close`.
      this.#socket.send(bytes, { binary: this.#binary }, () => {
        cancel()
        resolve()
      })
    })
  }
}

/** Writes events until the watch or the client ends. Never throws. */
async function stream(context: WatchContext, cursor: WatchCursor, socket: WebSocket, sender: EventSender): Promise<void> {
  const { stopping, wanted, log } = context
  const end = (): void => cursor.close()
  let refusal: ApiError | undefined
  const right = context.whileAllowed((error) => {
    refusal = error
    cursor.close()
  })
  socket.once('close', end)
  socket.on('error', end)
  stopping.addEventListener('abort', end, { once: true })
  const encoder = new EventEncoder(context)
  try {
    for (;;) {
      const events = cursor.take(batch)
      if (events.length === 0 && cursor.ended) break
      for (const event of events) await sender.send(encoder.encode(event))
      if (events.length < batch) await cursor.ready()
    }
    if (refusal !== undefined) await sender.send(errorEvent(refusal, wanted))
  } catch (error) {
    await sender.send(errorEvent(isApiError(error) ? error : asApiError(error, log, 'watch'), wanted))
  } finally {
    right[Symbol.dispose]()
    stopping.removeEventListener('abort', end)
  }
}
