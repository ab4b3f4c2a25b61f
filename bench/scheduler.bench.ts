/**
 * Scheduling decisions per second, without API: snapshot, filter, score, assume.
 * Run: node --conditions=@continuo/source bench/scheduler.bench.ts [nodes] [pods]
 */

import { builtInFilters } from '../packages/plugin-scheduler/src/filters/index.ts'
import { place } from '../packages/plugin-scheduler/src/placement/place.ts'
import { builtInScores } from '../packages/plugin-scheduler/src/scores/index.ts'
import { podRequests } from '../packages/plugin-scheduler/src/snapshot/amounts.ts'
import { ClusterCache } from '../packages/plugin-scheduler/src/snapshot/cluster-cache.ts'
import type { Node, Pod } from '../packages/workload/src/index.ts'

const nodeCount = Number(process.argv[2] ?? 5000)
const podCount = Number(process.argv[3] ?? 10_000)

const node = (index: number): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: `node-${index}`,
    labels: { 'kubernetes.io/hostname': `node-${index}`, 'topology.kubernetes.io/zone': `zone-${index % 3}` },
  },
  spec: {},
  status: { allocatable: { cpu: '4', memory: '32Gi', pods: '110' } },
})

const pod = (index: number, more: Partial<Pod['spec'] & object> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: `pod-${index}`,
    namespace: 'default',
    uid: `uid-${index}`,
    labels: { app: `app-${index % 50}` },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `rs-${index % 50}`, uid: `rs-${index % 50}`, controller: true }],
  },
  spec: { containers: [{ name: 'main', image: 'app', resources: { requests: { cpu: '100m', memory: '500Mi' } } }], ...more },
})

function run(title: string, make: (index: number) => Pod, count: number): void {
  const cache = new ClusterCache()
  for (let i = 0; i < nodeCount; i++) cache.setNode(node(i))
  const rules = { filters: builtInFilters, scores: builtInScores }
  const position = { start: 0 }
  const began = performance.now()
  const cpu = process.cpuUsage()
  let placed = 0
  for (let i = 0; i < count; i++) {
    const subject = make(i)
    const chosen = place({ pod: subject, snapshot: cache.snapshot(), requests: podRequests(subject) }, rules, position, Math.random)
    if (chosen === undefined) continue
    cache.assume(subject, chosen.node.name)
    placed++
  }
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const cpuSeconds = (user + system) / 1e6
  console.log(
    `${title}: ${placed} of ${count} pods on ${nodeCount} nodes, ${Math.round(count / seconds)} pods/s, ${Math.round(count / cpuSeconds)} per second of CPU`,
  )
}

const spread = { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'DoNotSchedule' as const }
run('basic', (index) => pod(index), podCount)
run('node affinity', (index) => pod(index, { nodeSelector: { 'topology.kubernetes.io/zone': `zone-${index % 3}` } }), podCount)
run(
  'hard topology spread',
  (index) => pod(index, { topologySpreadConstraints: [{ ...spread, labelSelector: { matchLabels: { app: `app-${index % 50}` } } }] }),
  Math.min(podCount, 1000),
)
run('nothing fits', (index) => pod(index, { nodeSelector: { no: 'where' } }), Math.min(podCount, 1000))
