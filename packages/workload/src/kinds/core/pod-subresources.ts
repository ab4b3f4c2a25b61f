import { ApiError, type FieldError, fieldError, type Subresource, type UnstructuredObject } from '@continuo/core'
import type { Binding, Container, Pod, PodCondition } from '../../generated/types/core-v1.ts'
import { schemaOf } from '../../schema/schema-of.ts'

const podKind = { group: '', version: 'v1', kind: 'Pod' }

/** The subresources of a pod that are neither its status nor streams. */
export const podSubresources: readonly Subresource[] = [
  {
    type: 'object',
    name: 'binding',
    kind: { group: '', version: 'v1', kind: 'Binding' },
    verbs: ['create'],
    get schema() {
      return schemaOf('io.k8s.api.core.v1.Binding')
    },
    write: (parent, body) => bindPod(parent as unknown as Pod, body as unknown as Binding) as unknown as UnstructuredObject,
  },
  {
    type: 'action',
    name: 'eviction',
    kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
    verbs: ['create'],
    get schema() {
      return schemaOf('io.k8s.api.policy.v1.Eviction')
    },
  },
  {
    type: 'object',
    name: 'ephemeralcontainers',
    kind: podKind,
    verbs: ['get', 'patch', 'update'],
    write(parent, body) {
      const pod = parent as unknown as Pod
      if (pod.spec !== undefined) pod.spec.ephemeralContainers = (body as unknown as Pod).spec?.ephemeralContainers
      return parent
    },
  },
  {
    type: 'object',
    name: 'resize',
    kind: podKind,
    verbs: ['get', 'patch', 'update'],
    write: (parent, body) => resizePod(parent as unknown as Pod, body as unknown as Pod) as unknown as UnstructuredObject,
  },
]

/** Assigns a pod to a node, once and for all (`pkg/registry/core/pod/storage`, assignPod). */
export function bindPod(pod: Pod, { target, metadata }: Binding): Pod {
  const name = pod.metadata.name
  const faults: FieldError[] = []
  if (target?.kind && target.kind !== 'Node') faults.push(fieldError.notSupported('target.kind', target.kind, ['Node', '<empty>']))
  if (!target?.name) faults.push(fieldError.required('target.name'))
  if (faults.length > 0) {
    const causes = faults.map(({ type, message, field }) => ({ reason: type, message, field }))
    throw new ApiError(
      'Invalid',
      `Binding ${JSON.stringify(name)} is invalid: ${faults.map((fault) => `${fault.field}: ${fault.message}`).join(', ')}`,
      { name, kind: 'Binding', causes },
    )
  }
  const refuse = (why: string): never => {
    throw new ApiError('Conflict', `Operation cannot be fulfilled on pods/binding ${JSON.stringify(name)}: ${why}`, {
      name,
      kind: 'pods/binding',
    })
  }
  if (metadata?.uid && metadata.uid !== pod.metadata.uid)
    refuse(
      `the UID in the precondition (${metadata.uid}) does not match the UID in record (${pod.metadata.uid}). The object might have been deleted and then recreated`,
    )
  if (pod.metadata.deletionTimestamp !== undefined) refuse(`pod ${name} is being deleted, cannot be assigned to a host`)
  const { spec } = pod
  if (spec?.nodeName) refuse(`pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`)
  if ((spec?.schedulingGates?.length ?? 0) > 0) refuse(`pod ${name} has non-empty .spec.schedulingGates`)
  pod.spec = { ...(spec ?? { containers: [] }), nodeName: target.name }
  if (metadata?.annotations !== undefined) pod.metadata.annotations = { ...pod.metadata.annotations, ...metadata.annotations }
  const others = (pod.status?.conditions ?? []).filter((condition) => condition.type !== 'PodScheduled')
  // Without a time: this function is pure, and the agent dates the condition with its first report.
  const scheduled: PodCondition = { type: 'PodScheduled', status: 'True' }
  pod.status = { ...pod.status, conditions: [...others, scheduled] }
  return pod
}

/** Takes over resources and resize policies of containers, and nothing else (KEP-1287). */
export function resizePod(pod: Pod, body: Pod): Pod {
  const apply = (containers: Container[] | undefined, wanted: readonly Container[] | undefined): void => {
    for (const container of containers ?? []) {
      const match = wanted?.find((candidate) => candidate.name === container.name)
      if (match === undefined) continue
      container.resources = match.resources
      container.resizePolicy = match.resizePolicy
    }
  }
  apply(pod.spec?.containers, body.spec?.containers)
  apply(pod.spec?.initContainers, body.spec?.initContainers)
  return pod
}
