import type { Container, PodSpec, PodTemplateSpec } from '../generated/types/core-v1.ts'
import { defaultContainer, defaultHostPorts } from './default-container.ts'
import { defaultVolume } from './default-volume.ts'

/** Fills in the spec of a pod, or of a template, as Kubernetes does. Changes its argument; doing it twice changes nothing more. */
export function defaultPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ??= 'ClusterFirst'
  spec.restartPolicy ??= 'Always'
  spec.terminationGracePeriodSeconds ??= 30
  spec.schedulerName ||= 'default-scheduler'
  spec.securityContext ??= {}
  // Two names of one field: the old one follows the new one.
  const account = spec.serviceAccountName || spec.serviceAccount
  if (account) Object.assign(spec, { serviceAccountName: account, serviceAccount: account })
  for (const volume of spec.volumes ?? []) defaultVolume(volume)
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])])
    defaultContainer(container)
  if (spec.hostNetwork === true)
    for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) defaultHostPorts(container.ports)
}

/** What pods get beyond what templates get. */
export function defaultPod(spec: PodSpec): void {
  defaultPodSpec(spec)
  spec.enableServiceLinks ??= true
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) requestWhatIsLimited(container)
}

/** A limit without a request is a request too. */
function requestWhatIsLimited({ resources }: Container): void {
  if (resources?.limits === undefined) return
  resources.requests ??= {}
  for (const [name, amount] of Object.entries(resources.limits)) resources.requests[name] ??= amount
}

/** The template of a workload. */
export function defaultTemplate(template: PodTemplateSpec | undefined): void {
  if (template?.spec !== undefined) defaultPodSpec(template.spec)
}
