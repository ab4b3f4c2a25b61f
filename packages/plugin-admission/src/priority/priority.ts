import { type AdmissionRequest, definePlugin, forbidden, hasReason, type ObjectClient } from '@continuo/core'
import { PriorityClass } from '@continuo/workload'
import { concerns, newPod } from '../requests/requests.ts'
import { defaultClass, resolvePriority } from './resolve-priority.ts'
import { isSystemClass, systemClasses } from './system-classes.ts'

const group = 'scheduling.k8s.io'

/**
 * Gives each new pod the priority of its class, keeps one default class and the two classes of the system,
 * which it makes before anybody can ask and which nobody takes away.
 */
export const priority = definePlugin({
  name: 'priority',
  api: '^1',
  permissions: [{ apiGroups: [group], resources: ['priorityclasses'], verbs: ['get', 'list', 'create'] }],
  setup(ctx) {
    ctx.admission({ reads: [PriorityClass], mutate: givePriority, validate: keepClasses })
    ctx.onStart('informers', () => createSystemClasses(ctx.client))
  },
})

function givePriority(request: AdmissionRequest): void {
  const spec = newPod(request)?.spec
  if (spec === undefined) return
  const resolved = resolvePriority(spec.priorityClassName ?? '', request.read.list(PriorityClass))
  const refuse = (why: string) => forbidden(request.resource, request.name, why)
  if (resolved === undefined) throw refuse(`no PriorityClass with name ${spec.priorityClassName} was found`)
  const { className, value, preemptionPolicy } = resolved
  if (spec.priority !== undefined && spec.priority !== value)
    throw refuse(
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    )
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy)
    throw refuse(
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
    )
  if (className !== '') spec.priorityClassName = className
  spec.priority = value
  spec.preemptionPolicy = preemptionPolicy
}

function keepClasses(request: AdmissionRequest): void {
  if (!concerns(request, group, 'priorityclasses')) return
  if (request.operation === 'DELETE') {
    if (isSystemClass(request.name))
      throw forbidden(request.resource, request.name, 'this is a system priority class and cannot be deleted')
    return
  }
  const { globalDefault } = request.object as unknown as PriorityClass
  if (globalDefault !== true) return
  const current = defaultClass(request.read.list(PriorityClass))
  if (current !== undefined && (request.operation === 'CREATE' || current.metadata.name !== request.name))
    throw forbidden(
      request.resource,
      request.name,
      `PriorityClass ${current.metadata.name} is already marked as default. Only one default can exist`,
    )
}

async function createSystemClasses(client: ObjectClient): Promise<void> {
  for (const wanted of systemClasses) {
    try {
      await client.for(PriorityClass).get({ namespace: '', name: wanted.metadata.name })
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
      await client
        .for(PriorityClass)
        .create(structuredClone(wanted))
        .catch((late: unknown) => {
          // Another replica was quicker.
          if (!hasReason(late, 'AlreadyExists')) throw late
        })
    }
  }
}
