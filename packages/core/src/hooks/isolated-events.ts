import { EventEmitter } from 'eventemitter3'
import type { Log } from '../log/log.ts'
import type { Events, EventType } from './event.ts'

/** Events on eventemitter3: a listener that throws or rejects is logged with its owner, and the others still run. */
export function createEvents(log: Log): Events & { /** For tests of leaks. */ listenerCount(): number } {
  const emitter = new EventEmitter()
  const failed = (event: string, owner: string, error: unknown): void =>
    log.error({ event, plugin: owner, err: error }, 'event listener failed')
  return {
    emit<T>(type: EventType<T>, value: T) {
      emitter.emit(type.id, value)
    },
    on<T>(type: EventType<T>, owner: string, listener: (value: T) => void) {
      const isolated = (value: T): void => {
        try {
          const result = listener(value) as unknown
          if (result instanceof Promise) result.catch((error) => failed(type.id, owner, error))
        } catch (error) {
          failed(type.id, owner, error)
        }
      }
      emitter.on(type.id, isolated)
      return () => void emitter.off(type.id, isolated)
    },
    listenerCount: () => emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0),
  }
}
