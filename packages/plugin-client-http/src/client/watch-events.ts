import { ApiError, formatApiVersion, isApiError, type Kind, type KubeObject, type WatchEvent } from '@continuo/core'
import { isStatus, statusError } from '../request/status-error.ts'
import type { TransportResponse } from '../transport/transport.ts'
import { LineSplitter } from './line-splitter.ts'

const initialEventsEnd = 'k8s.io/initial-events-end'

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

const garbage = (kind: Kind, why: string): ApiError =>
  new ApiError('InternalError', `the watch of ${kind.resource} cannot be read: ${why}`, undefined, {
    hint: 'check that `server` is the address of the API itself',
  })

/** What one line of a watch says. Pure. Throws the server's error of an `ERROR` event, 500 for what is no event. */
export function decodeEvent<T extends KubeObject>(kind: Kind<T>, line: string): WatchEvent<T> {
  let event: unknown
  try {
    event = JSON.parse(line)
  } catch {
    throw garbage(kind, 'a line is not JSON')
  }
  if (!isFields(event) || !isFields(event.object)) throw garbage(kind, 'a line is no event')
  const { type, object } = event
  if (type === 'ERROR') throw isStatus(object) ? statusError(object) : garbage(kind, 'it ended with an error that is no Status')
  if (!isFields(object.metadata)) throw garbage(kind, 'an event has an object without metadata')
  if (type === 'BOOKMARK') {
    const { resourceVersion, annotations } = object.metadata
    if (typeof resourceVersion !== 'string') throw garbage(kind, 'a bookmark has no resourceVersion')
    const last = isFields(annotations) && annotations[initialEventsEnd] === 'true'
    return { type, resourceVersion, ...(last ? { initialEventsEnd: true } : {}) }
  }
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') throw garbage(kind, 'an event is of an unknown type')
  return { type, object: typed(kind, object) }
}

/** Objects in lists and events may come without their kind. */
export const typed = <T extends KubeObject>(kind: Kind<T>, object: object): T => {
  const known = object as Partial<KubeObject>
  return (known.kind && known.apiVersion ? known : { ...known, apiVersion: formatApiVersion(kind), kind: kind.kind }) as T
}

/**
 * A streamed answer as events, read no faster than they are taken. Ends with the server's end, the signal or the reader; the answer is closed
 * in each case. Throws `ApiError`: of an `ERROR` event, 503 when the connection broke, 500 for what is no watch.
 */
export function watchEvents<T extends KubeObject>(
  kind: Kind<T>,
  response: TransportResponse,
  signal: AbortSignal,
  maxEventBytes: number,
): AsyncIterable<WatchEvent<T>> {
  const events = read(kind, response, signal, maxEventBytes)
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => events.next(),
      // A generator that waits for bytes, or was never begun, would not hear of it.
      return: () => {
        response.body.destroy()
        return events.return()
      },
    }),
  }
}

/** A watch that is over before it began. */
export async function* noEvents(): AsyncGenerator<never, void, void> {}

async function* read<T extends KubeObject>(
  kind: Kind<T>,
  response: TransportResponse,
  signal: AbortSignal,
  maxEventBytes: number,
): AsyncGenerator<WatchEvent<T>, void, void> {
  const { body } = response
  const lines = new LineSplitter(maxEventBytes)
  try {
    for await (const chunk of body) {
      for (const line of lines.push(chunk as Buffer)) {
        if (signal.aborted) return
        yield decodeEvent(kind, line)
      }
    }
    if (signal.aborted) return
    if (!response.complete()) throw broken(kind)
    const rest = lines.rest()
    if (rest === '') return
    if (!isWhole(rest)) throw broken(kind)
    yield decodeEvent(kind, rest)
  } catch (error) {
    if (signal.aborted) return
    throw isApiError(error) ? error : broken(kind, error)
  } finally {
    body.destroy()
  }
}

/** A last line without its end: whole when it is JSON, for no part of an object is. */
function isWhole(line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

const broken = (kind: Kind, cause?: unknown): ApiError =>
  new ApiError('ServiceUnavailable', `the connection broke under the watch of ${kind.resource}`, undefined, { cause })
