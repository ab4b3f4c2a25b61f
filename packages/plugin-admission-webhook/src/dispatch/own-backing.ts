import { compileLabelSelector, type DeepReadonly } from '@continuo/core'
import type { AdmissionSubject } from '@continuo/lib-admission'
import { Pod, Service } from '@continuo/workload'
import type { Webhook } from '../configuration/webhook.ts'

const serviceName = 'kubernetes.io/service-name'

/**
 * Whether a request is about what a webhook itself is made of: the pods that its service selects, with their subresources, the service and
 * its endpoints. A webhook that does not answer cannot keep these away, or it would never answer again. Whoever may
 * make such pods answers for the webhook anyway, so this opens nothing.
 */
export function isOwnBacking({ settings }: Webhook, subject: AdmissionSubject): boolean {
  const service = settings.clientConfig.service
  const { request, resource, namespace, name } = subject
  if (service === undefined || namespace !== service.namespace) return false
  if (resource.group === '' && (resource.resource === 'services' || resource.resource === 'endpoints')) return name === service.name
  const object = request.object ?? request.oldObject
  if (resource.group === 'discovery.k8s.io') return object?.metadata?.labels?.[serviceName] === service.name
  if (resource.group !== '' || resource.resource !== 'pods' || request.operation === 'CONNECT') return false
  const labels = (request.read.get(Pod, { namespace, name }) ?? (object as DeepReadonly<Pod> | undefined))?.metadata?.labels
  const selector = request.read.get(Service, { namespace, name: service.name })?.spec?.selector
  return selector !== undefined && Object.keys(selector).length > 0 && compileLabelSelector({ matchLabels: selector })(labels)
}
