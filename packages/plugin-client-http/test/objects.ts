import { type ApiError, isApiError, type KubeObject, kind, type WatchEvent } from '@continuo/core'

export interface Widget extends KubeObject {
  spec?: Record<string, unknown>
}

export const Widget = kind<Widget>({ group: 'demo.io', version: 'v1', kind: 'Widget', resource: 'widgets', namespaced: true })

export const widget = (name: string, spec: Record<string, unknown> = {}, version = '1'): Widget => ({
  apiVersion: 'demo.io/v1',
  kind: 'Widget',
  metadata: { name, namespace: 'default', resourceVersion: version },
  spec,
})

export const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`

export const status = (code: number, reason: string, message: string, more: object = {}) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  code,
  reason,
  message,
  ...more,
})

/** The ApiError that a promise is refused with; anything else fails the test. */
export async function refusal(promise: Promise<unknown>): Promise<ApiError> {
  const thrown = await promise.then(
    (value) => new TypeError(`succeeded with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )
  if (isApiError(thrown)) return thrown
  throw new TypeError('an ApiError was expected', { cause: thrown })
}

/** Every word of an error and what caused it. */
export function words(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 5) return ''
  return `${error.message} ${(error as ApiError).hint ?? ''} ${error.stack ?? ''} ${JSON.stringify(error)} ${words(error.cause, depth + 1)}`
}

export const names = (events: readonly WatchEvent<Widget>[]): readonly string[] =>
  events.map((event) => (event.type === 'BOOKMARK' ? `BOOKMARK ${event.resourceVersion}` : `${event.type} ${event.object.metadata.name}`))

/** Reads a watch to its end; the error, if it ends with one. */
export async function drain(
  watch: AsyncIterable<WatchEvent<Widget>>,
): Promise<{ readonly seen: readonly string[]; readonly error?: unknown }> {
  const seen: WatchEvent<Widget>[] = []
  try {
    for await (const event of watch) seen.push(event)
  } catch (error) {
    return { seen: names(seen), error }
  }
  return { seen: names(seen) }
}
