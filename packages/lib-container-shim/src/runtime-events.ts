import type { RuntimeEvent } from '@continuo/workload'

/** Most different events that wait for one reader; when there are more, the oldest is forgotten, as hints may be. */
const maxWaiting = 1024

/** Hands each event to each reader. An event that a reader has not taken yet is not queued a second time. */
export class RuntimeEvents {
  readonly #readers = new Set<(event: RuntimeEvent) => void>()

  emit(event: RuntimeEvent): void {
    for (const reader of this.#readers) reader(event)
  }

  async *read(signal: AbortSignal): AsyncGenerator<RuntimeEvent, void, undefined> {
    const waiting = new Map<string, RuntimeEvent>()
    let wake: () => void = () => {}
    const reader = (event: RuntimeEvent): void => {
      waiting.set(`${event.sandbox}/${event.container ?? ''}`, event)
      const [oldest] = waiting.keys()
      if (waiting.size > maxWaiting && oldest !== undefined) waiting.delete(oldest)
      wake()
    }
    const stop = (): void => wake()
    this.#readers.add(reader)
    signal.addEventListener('abort', stop)
    try {
      while (!signal.aborted) {
        for (const [key, event] of waiting) {
          waiting.delete(key)
          yield event
        }
        if (waiting.size > 0 || signal.aborted) continue
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    } finally {
      this.#readers.delete(reader)
      signal.removeEventListener('abort', stop)
    }
  }
}
