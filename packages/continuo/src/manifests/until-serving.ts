import { ContinuoError, type ObjectClient, systemClock } from '@continuo/core'
import { Deployment, Service } from '@continuo/workload'
import { answers } from './answers.ts'
import type { AppliedObject } from './apply.ts'

export interface ServingOptions {
  readonly signal: AbortSignal
  /** Default two minutes. */
  readonly timeoutMs?: number
  progress(text: string): void
}

/** Resolves when every applied deployment is available at its newest template and every TCP port of an applied service answers. */
export async function untilServing(client: ObjectClient, applied: readonly AppliedObject[], options: ServingOptions): Promise<void> {
  const deadline = systemClock.monotonic() + (options.timeoutMs ?? 120_000)
  let shown = ''
  for (;;) {
    const waiting = (await Promise.all(applied.map((object) => reasonToWait(client, object, options.signal)))).filter(
      (reason) => reason !== undefined,
    )
    if (waiting.length === 0) return
    const text = waiting.join(', ')
    if (text !== shown) options.progress(text)
    shown = text
    if (systemClock.monotonic() > deadline) {
      throw new ContinuoError('START_TIMEOUT', `not serving after two minutes: ${waiting.join(', ')}`, {
        hint: 'look with `kubectl describe` or `continuo why`',
      })
    }
    await systemClock.sleep(100, options.signal)
  }
}

async function reasonToWait(client: ObjectClient, object: AppliedObject, signal: AbortSignal): Promise<string | undefined> {
  if (object.kind === 'Deployment') {
    const deployment = await client.for(Deployment).get(object)
    const wanted = deployment.spec?.replicas ?? 1
    const status = deployment.status
    const ready =
      (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
        ? Math.min(status?.updatedReplicas ?? 0, status?.availableReplicas ?? 0)
        : 0
    return ready >= wanted ? undefined : `${object.name}: ${ready} of ${wanted} replicas available`
  }
  if (object.kind === 'Service') {
    const { spec } = await client.for(Service).get(object)
    const address = spec?.clusterIP
    if (address === undefined || address === '' || address === 'None') return undefined
    for (const { port, protocol } of spec?.ports ?? []) {
      if ((protocol ?? 'TCP') === 'TCP' && !(await answers(address, port, signal)))
        return `nothing answers at service ${object.name}, port ${port}`
    }
  }
  return undefined
}
