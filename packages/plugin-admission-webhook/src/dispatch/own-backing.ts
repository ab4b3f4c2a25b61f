import { type AdmissionReader, compileLabelSelector, type DeepReadonly } from '@continuo/core'
import type { AdmissionSubject } from '@continuo/lib-admission'
import { Pod, Service, type ServiceReference, type TokenRequest } from '@continuo/workload'
import type { Webhook } from '../configuration/webhook.ts'

const serviceName = 'kubernetes.io/service-name'

/**
 * Whether a request is about what a webhook itself is made of: the pods that its service selects, with their subresources and tokens, the service
 * and its endpoints. A webhook that does not answer cannot keep these away, or it would never answer again. Whoever may
 * make such pods answers for the webhook anyway, so this opens nothing.
 */
export function isOwnBacking({ settings }: Webhook, subject: AdmissionSubject): boolean {
  const service = settings.clientConfig.service
  const { request, resource, subresource, namespace, name } = subject
  if (service === undefined || namespace !== service.namespace || request.operation === 'CONNECT') return false
  const object = request.object ?? request.oldObject
  switch (`${resource.group}/${resource.resource}`) {
    case '/services':
    case '/endpoints':
      return name === service.name
    case 'discovery.k8s.io/endpointslices':
      return object?.metadata?.labels?.[serviceName] === service.name
    case '/pods':
      return isSelected(request.read, service, name, object?.metadata?.labels)
    case '/serviceaccounts': {
      const pod = subresource === 'token' ? (object as unknown as DeepReadonly<TokenRequest>).spec?.boundObjectRef : undefined
      return pod?.kind === 'Pod' && pod.name !== undefined && isSelected(request.read, service, pod.name, undefined)
    }
    default:
      return false
  }
}

type Labels = Readonly<Record<string, string>> | undefined

/** By the labels that the pod has; those of the request count only for one that is not there yet. */
function isSelected(read: AdmissionReader, { namespace, name }: DeepReadonly<ServiceReference>, pod: string, asked: Labels): boolean {
  const stored = read.get(Pod, { namespace, name: pod })
  const selector = read.get(Service, { namespace, name })?.spec?.selector
  if (selector === undefined || Object.keys(selector).length === 0) return false
  return compileLabelSelector({ matchLabels: selector })(stored === undefined ? asked : stored.metadata.labels)
}
