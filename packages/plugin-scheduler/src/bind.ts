import { formatKey, type Hook, hasReason, keyOf, type ObjectClient } from '@continuo/core'
import { type Binding, Pod, SchedulerBind, SchedulerPermit, SchedulerReserve } from '@continuo/workload'
import type { BuiltInAttempt } from './filters/built-in.ts'

export interface BindRequest {
  readonly attempt: BuiltInAttempt
  readonly nodeName: string
  readonly client: ObjectClient
  readonly call: <T extends object>(hook: Hook<T>, argument: T) => Promise<T>
  readonly signal: AbortSignal
}

/**
 * Reserve, permit, bind. Reservations are released in reverse order when a later step fails, and the failure is thrown.
 * The binding names the pod's uid: one that was replaced by another of its name is not bound.
 */
export async function bindPod({ attempt, nodeName, client, call, signal }: BindRequest): Promise<void> {
  const undo: (() => void | Promise<void>)[] = []
  try {
    await call(SchedulerReserve, { ...attempt, nodeName, release: (step: () => void | Promise<void>) => void undo.push(step) })
    const waits: Promise<void>[] = []
    await call(SchedulerPermit, { ...attempt, nodeName, wait: (until: Promise<void>) => void waits.push(until) })
    if (waits.length > 0) await untilAborted(Promise.all(waits), signal)
    const { bound } = await call(SchedulerBind, { ...attempt, nodeName, bound: false })
    if (!bound) await createBinding(client, attempt, nodeName)
  } catch (error) {
    for (const step of undo.reverse()) await step()
    throw error
  }
}

async function createBinding(client: ObjectClient, { pod }: BuiltInAttempt, nodeName: string): Promise<void> {
  const { name, namespace = '', uid } = pod.metadata
  const binding: Binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace, ...(uid === undefined ? {} : { uid }) },
    target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
  }
  await client.for(Pod).subresource('binding').create(keyOf(pod), binding)
}

function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', abort))
}

/** True when the failure means that the pod is gone or has a node already: nothing is left to do. */
export const isSettled = (error: unknown): boolean => hasReason(error, 'NotFound')

/** `namespace/name`, for messages. */
export const nameOf = ({ pod }: BuiltInAttempt): string => formatKey(keyOf(pod))
