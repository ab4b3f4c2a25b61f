import type { KubernetesListObject, KubernetesObject, V1Deployment, V1OwnerReference, V1Service } from '@kubernetes/client-node'

export const group = 'example.com'
export const version = 'v1'
export const plural = 'websites'
export const finalizer = 'example.com/directory'
/** On everything that belongs to a website, with its name. */
export const label = 'example.com/website'

export interface Website extends KubernetesObject {
  spec: { text: string; replicas: number }
  status?: WebsiteStatus
}

export interface WebsiteStatus {
  observedGeneration?: number
  readyReplicas?: number
  address?: string
}

export type WebsiteList = KubernetesListObject<Website>

const server = "require('http').createServer((q, r) => r.end(process.env.TEXT)).listen(8080, process.env.POD_IP ?? '0.0.0.0')"

/** What a website consists of: the desired state, which is applied as a whole each time. */
export function desired(website: Website): readonly [V1Deployment, V1Service] {
  const { name = '', namespace = '', uid = '' } = website.metadata ?? {}
  const labels = { [label]: name }
  const owner: V1OwnerReference = {
    apiVersion: `${group}/${version}`,
    kind: 'Website',
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  }
  const metadata = { name, namespace, labels, ownerReferences: [owner] }
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: website.spec.replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [
              {
                name: 'server',
                image: 'host',
                command: ['node', '-e', server],
                env: [{ name: 'TEXT', value: website.spec.text }],
                readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ name: 'http', port: 8080, targetPort: 8080 }] },
    },
  ]
}

/** What the website's status should say. */
export function statusOf(website: Website, deployment: V1Deployment | undefined, service: V1Service): WebsiteStatus {
  return {
    observedGeneration: website.metadata?.generation,
    readyReplicas: deployment?.status?.readyReplicas ?? 0,
    address: `http://${service.spec?.clusterIP}:8080`,
  }
}
