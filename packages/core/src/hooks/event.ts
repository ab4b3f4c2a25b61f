declare const payload: unique symbol

/** Something that happened and that nobody may affect. A throwing listener is logged and the others still run. */
export interface EventType<T> {
  readonly id: string
  readonly [payload]?: T
}

export const eventType = <T>(id: `${string}/${string}`): EventType<T> => ({
  id,
})

export interface Events {
  emit<T>(type: EventType<T>, value: T): void
  on<T>(type: EventType<T>, owner: string, listener: (value: T) => void): () => void
}
