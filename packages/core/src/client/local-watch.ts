import type { KubeObject } from '../objects/object.ts'
import type { WatchEvent } from './object-client.ts'
import type { WatchCursor, WatchViewEvent } from './object-service.ts'
import { copyOfView } from './plain-view.ts'

/** Events that are copied in one go. */
const batch = 64

/** A cursor as an asynchronous sequence. Ends when the cursor ends, the signal aborts or the reader stops; the cursor is closed in each case. */
export function localWatch<T extends KubeObject>(cursor: WatchCursor, signal: AbortSignal): AsyncIterable<WatchEvent<T>> {
  const close = (): void => cursor.close()
  if (signal.aborted) close()
  // At once and not with the first read: a watch that nobody reads must end, too.
  signal.addEventListener('abort', close, { once: true })
  return events<T>(cursor, signal, () => {
    signal.removeEventListener('abort', close)
    close()
  })
}

async function* events<T extends KubeObject>(
  cursor: WatchCursor,
  signal: AbortSignal,
  end: () => void,
): AsyncGenerator<WatchEvent<T>, void, void> {
  try {
    while (!signal.aborted && !cursor.ended) {
      for (const event of cursor.take(batch)) {
        yield toEvent<T>(event)
        if (signal.aborted) return
      }
      if (!cursor.ended) await cursor.ready()
    }
  } finally {
    end()
  }
}

function toEvent<T extends KubeObject>(event: WatchViewEvent): WatchEvent<T> {
  return event.type === 'BOOKMARK' ? event : { type: event.type, object: copyOfView(event.view) as unknown as T }
}
