import type { ObjectClient } from '@continuo/core'
import { Pod } from '@continuo/workload'
import { cpuMicros } from './child.ts'
import { podOf } from './pods.ts'

export const writeKinds = [
  'create',
  'update',
  'update of status',
  'merge patch',
  'strategic patch',
  'apply',
  'apply without a change',
] as const
export type WriteKind = (typeof writeKinds)[number]

const inFlight = 8

/** Writes so many times, eight at a time, each its own pod; returns microseconds of this process's CPU, without the making of the pods. */
export async function runWrites(client: ObjectClient, kind: WriteKind, operations: number, first: number): Promise<number> {
  const pods = client.for(Pod)
  const applied = (index: number, note: string): Pod => {
    const { name = '', namespace } = podOf(index, 0).metadata
    return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, annotations: { note } } } as Pod
  }
  if (kind !== 'create') for (let i = 0; i < inFlight; i++) await pods.create(podOf(first + i, 2_048))
  if (kind === 'apply without a change')
    for (let i = 0; i < inFlight; i++) await pods.apply(applied(first + i, 'same'), { fieldManager: 'bench' })
  const work = async (worker: number): Promise<void> => {
    const at = { namespace: 'default', name: podOf(first + worker, 0).metadata.name ?? '' }
    let current = kind === 'create' ? podOf(0, 0) : await pods.get(at)
    for (let i = worker; i < operations; i += inFlight) {
      const annotations = { note: String(i) }
      if (kind === 'create') await pods.create(podOf(first + i, 2_048))
      else if (kind === 'update') current = await pods.update({ ...current, metadata: { ...current.metadata, annotations } })
      else if (kind === 'update of status')
        current = await pods.updateStatus({ ...current, status: { ...current.status, message: String(i) } })
      else if (kind === 'merge patch') await pods.patch(at, { type: 'merge', body: { metadata: { annotations } } })
      else if (kind === 'strategic patch') await pods.patch(at, { type: 'strategic', body: { metadata: { annotations } } })
      else await pods.apply(applied(first + worker, kind === 'apply' ? String(i) : 'same'), { fieldManager: 'bench' })
    }
  }
  const before = cpuMicros()
  await Promise.all(Array.from({ length: inFlight }, (_, worker) => work(worker)))
  return cpuMicros() - before
}
