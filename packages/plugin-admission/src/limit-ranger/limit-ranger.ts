import { type AdmissionRequest, definePlugin, forbidden } from '@continuo/core'
import { LimitRange, type PersistentVolumeClaim, type Pod } from '@continuo/workload'
import { concerns, newPod } from '../requests/requests.ts'
import { claimFaults, podFaults } from './check-limits.ts'
import { defaultResources } from './default-resources.ts'

/** Defaults and bounds of what containers, pods and claims ask for, from the LimitRanges of their namespace. */
export const limitRanger = definePlugin({
  name: 'limit-ranger',
  api: '^1',
  permissions: [{ apiGroups: [''], resources: ['limitranges'], verbs: ['list'] }],
  setup(ctx) {
    ctx.admission({
      reads: [LimitRange],
      mutate(request) {
        const pod = newPod(request)
        if (pod !== undefined) for (const range of request.read.list(LimitRange, request.namespace)) defaultResources(pod, range)
      },
      validate(request) {
        const check = checkOf(request)
        if (check === undefined) return
        const faults = request.read.list(LimitRange, request.namespace).flatMap(check)
        if (faults.length > 0)
          throw forbidden(request.resource, request.name, faults.length === 1 ? `${faults[0]}` : `[${[...new Set(faults)].join(', ')}]`)
      },
    })
  },
})

/** How the object of a request is checked; undefined when it is not. The containers of a pod change by its resize alone. */
function checkOf(request: AdmissionRequest): ((range: Parameters<typeof podFaults>[1]) => readonly string[]) | undefined {
  const { operation, resource, subresource, object } = request
  if (operation === 'DELETE' || operation === 'CONNECT') return undefined
  if (concerns(request, '', 'persistentvolumeclaims')) return (range) => claimFaults(object as unknown as PersistentVolumeClaim, range)
  const isPod = resource.group === '' && resource.resource === 'pods'
  const resized = isPod && operation === 'UPDATE' && subresource === 'resize'
  return resized || newPod(request) !== undefined ? (range) => podFaults(object as unknown as Pod, range) : undefined
}
