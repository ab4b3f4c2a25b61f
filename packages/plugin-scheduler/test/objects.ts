import type { Container, Node, Pod, PodSpec } from '@continuo/workload'
import type { BuiltInAttempt } from '../src/filters/built-in.ts'
import { podRequests } from '../src/snapshot/amounts.ts'
import { ClusterCache } from '../src/snapshot/cluster-cache.ts'

/** Objects for tests, complete enough for the scheduler. */
export function node(
  name: string,
  options: { cpu?: string; memory?: string; pods?: string; labels?: Record<string, string> } & Partial<Node['spec'] & object> = {},
): Node {
  const { cpu = '4', memory = '8Gi', pods = '110', labels = {}, ...spec } = options
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec,
    status: { allocatable: { cpu, memory, pods } },
  }
}

export function pod(
  name: string,
  spec: Partial<PodSpec> & { cpu?: string; memory?: string; owner?: string; labels?: Record<string, string> } = {},
): Pod {
  const { cpu, memory, owner, labels, ...rest } = spec
  const requests = { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) }
  const main: Container = { name: 'main', image: 'app', resources: { requests } }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      ...(labels && { labels }),
      ...(owner && { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true }] }),
    },
    spec: { containers: [main], ...rest },
  }
}

export const placed = (name: string, nodeName: string, spec: Parameters<typeof pod>[1] = {}): Pod => pod(name, { ...spec, nodeName })

export function cacheOf(nodes: readonly Node[], pods: readonly Pod[] = []): ClusterCache {
  const cache = new ClusterCache()
  for (const each of nodes) cache.setNode(each)
  for (const each of pods) cache.setPod(each)
  return cache
}

export const attemptOf = (subject: Pod, cache: ClusterCache): BuiltInAttempt => ({
  pod: subject,
  snapshot: cache.snapshot(),
  requests: podRequests(subject),
})
