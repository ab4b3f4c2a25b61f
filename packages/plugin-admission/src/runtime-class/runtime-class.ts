import { type AdmissionRequest, type DeepReadonly, definePlugin, forbidden, jsonEqual } from '@continuo/core'
import { type PodSpec, RuntimeClass } from '@continuo/workload'
import { amountsOf, listed } from '../amounts/amounts.ts'
import { newPod } from '../requests/requests.ts'
import { mergeTolerations } from '../requests/tolerations.ts'

/** Gives pods what their RuntimeClass says: its overhead, and where they may run (KEP-688, KEP-894). Refuses classes that are not there. */
export const runtimeClass = definePlugin({
  name: 'runtime-class',
  api: '^1',
  permissions: [{ apiGroups: ['node.k8s.io'], resources: ['runtimeclasses'], verbs: ['get'] }],
  setup(ctx) {
    ctx.admission({
      reads: [RuntimeClass],
      mutate(request) {
        const spec = newPod(request)?.spec
        if (spec === undefined) return
        const fault = applyClass(spec, classOf(request, spec))
        if (fault !== undefined) throw forbidden(request.resource, request.name, fault)
      },
      validate(request) {
        const spec = newPod(request)?.spec
        if (spec?.overhead === undefined) return
        const found = classOf(request, spec)
        if (!sameAmounts(spec.overhead, found?.overhead?.podFixed))
          throw forbidden(
            request.resource,
            request.name,
            found?.overhead === undefined
              ? 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead'
              : "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
          )
      },
    })
  },
})

function classOf(request: AdmissionRequest, { runtimeClassName }: PodSpec): DeepReadonly<RuntimeClass> | undefined {
  if (runtimeClassName === undefined) return undefined
  const found = request.read.get(RuntimeClass, { namespace: '', name: runtimeClassName })
  if (found === undefined)
    throw forbidden(request.resource, request.name, `pod rejected: RuntimeClass ${JSON.stringify(runtimeClassName)} not found`)
  return found
}

/** Changes the spec; what contradicts the class is the sentence that is returned. */
export function applyClass(spec: PodSpec, found: DeepReadonly<RuntimeClass> | undefined): string | undefined {
  const overhead = found?.overhead?.podFixed
  if (overhead !== undefined) {
    if (spec.overhead !== undefined && !sameAmounts(spec.overhead, overhead))
      return "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
    spec.overhead = { ...overhead }
  }
  const { nodeSelector, tolerations } = found?.scheduling ?? {}
  for (const [key, value] of Object.entries(nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key]
    if (own !== undefined && own !== value)
      return `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`
  }
  if (nodeSelector !== undefined) spec.nodeSelector = { ...spec.nodeSelector, ...nodeSelector }
  if (tolerations !== undefined) spec.tolerations = mergeTolerations(spec.tolerations ?? [], tolerations)
  return undefined
}

type Quantities = Readonly<Record<string, string>> | undefined
const sameAmounts = (a: Quantities, b: Quantities): boolean => jsonEqual(listed(amountsOf(a)), listed(amountsOf(b)))
