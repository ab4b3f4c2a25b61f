import { type DeepReadonly, type FieldError, fieldError, jsonEqual } from '@continuo/core'
import type { Pod as PodObject } from '../../generated/types/core-v1.ts'
import { checkPodSpec } from '../../pod-spec/check-pod-spec.ts'
import { checkPodStatusUpdate, checkPodUpdate } from '../../pod-spec/check-pod-update.ts'
import { defaultPod } from '../../pod-spec/default-pod-spec.ts'
import { qualityOfService } from '../../pod-spec/quality-of-service.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { podSubresources } from './pod-subresources.ts'
import { podTable } from './pod-table.ts'

export type Pod = PodObject
/** Handle of pods in v1. */
export const Pod = kindOf<Pod>('v1', 'pods')

const field = (read: (pod: DeepReadonly<Pod>) => string | undefined) => (object: unknown) => read(object as DeepReadonly<Pod>) ?? ''

export const podResource = workloadResource(Pod, {
  shortNames: ['po'],
  categories: ['all'],
  table: podTable,
  subresources: podSubresources,
  selectableFields: {
    'spec.nodeName': field((pod) => pod.spec?.nodeName),
    'spec.restartPolicy': field((pod) => pod.spec?.restartPolicy),
    'spec.schedulerName': field((pod) => pod.spec?.schedulerName),
    'spec.serviceAccountName': field((pod) => pod.spec?.serviceAccountName),
    'spec.hostNetwork': field((pod) => String(pod.spec?.hostNetwork ?? false)),
    'status.phase': field((pod) => pod.status?.phase),
    'status.podIP': field((pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP),
    'status.podIPs': field((pod) => pod.status?.podIPs?.map((address) => address.ip).join(',')),
    'status.nominatedNodeName': field((pod) => pod.status?.nominatedNodeName),
  },
  strategy: strategyOf<Pod>({
    default(pod) {
      if (pod.spec !== undefined) defaultPod(pod.spec)
    },
    prepareForCreate(pod) {
      pod.status = { phase: 'Pending', qosClass: qualityOfService(pod.spec ?? { containers: [] }) }
      if ((pod.spec?.schedulingGates?.length ?? 0) > 0)
        pod.status.conditions = [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'SchedulingGated',
            message: 'Scheduling is blocked due to non-empty scheduling gates',
          },
        ]
    },
    validate(pod, errors) {
      if (pod.spec === undefined) errors.push(fieldError.required('spec.containers'))
      else checkPodSpec(pod.spec, 'spec', errors)
    },
    validateUpdate(next, old, errors, subresource) {
      if (subresource === undefined) checkPodUpdate(next, old, errors)
      else if (subresource === 'status') checkPodStatusUpdate(next, old, errors)
      else if (subresource === 'ephemeralcontainers') checkEphemeral(next, old, errors)
    },
    gracePeriodSeconds(pod, request) {
      const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
      if (!pod.spec?.nodeName || ended) return 0
      const period = request.gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 0
      return period < 0 ? 1 : period
    },
  }),
})

/** Ephemeral containers come and stay: none is changed, none goes away. */
function checkEphemeral(next: DeepReadonly<Pod>, old: DeepReadonly<Pod>, errors: FieldError[]): void {
  const wanted = new Map((next.spec?.ephemeralContainers ?? []).map((container) => [container.name, container]))
  for (const container of old.spec?.ephemeralContainers ?? []) {
    const now = wanted.get(container.name)
    if (now === undefined)
      errors.push(
        fieldError.forbidden(
          'spec.ephemeralContainers',
          `existing ephemeral containers ${JSON.stringify(container.name)} may not be removed\n`,
        ),
      )
    else if (!jsonEqual(now, container))
      errors.push(
        fieldError.forbidden(
          'spec.ephemeralContainers',
          `existing ephemeral containers ${JSON.stringify(container.name)} may not be changed\n`,
        ),
      )
  }
  const targets = new Set([...(next.spec?.containers ?? []), ...(next.spec?.initContainers ?? [])].map((container) => container.name))
  next.spec?.ephemeralContainers?.forEach((container, index) => {
    const target = container.targetContainerName
    if (target && !targets.has(target)) errors.push(fieldError.notFound(`spec.ephemeralContainers[${index}].targetContainerName`, target))
  })
}
