// An API server on the in-memory store, in a process of its own: roles decide, and who asks is no administrator.
// Arguments compose more: `audit:LEVEL` tells every request at that level, `encryption` encrypts pods.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createHost,
  HostSettingsCap,
  memoryStore,
  ObjectClientCap,
  objectKey,
  objectsPlugin,
  type SlotSpec,
  StoreCap,
} from '@continuo/core'
import { apiHttp, prometheusMetrics } from '@continuo/plugin-api-http'
import { auditLog } from '@continuo/plugin-audit-log'
import { rbac } from '@continuo/plugin-authz-rbac'
import { encryption } from '@continuo/plugin-encryption-aes'
import { ApiEndpointCap, ClusterRole, ClusterRoleBinding, Pod, podResource, workloadKinds } from '@continuo/workload'
import { cpuMicros, serve } from './child.ts'
import { podOf } from './pods.ts'
import { runWrites, type WriteKind } from './write-operations.ts'

const directory = mkdtempSync(join(tmpdir(), 'continuo-bench-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

function composed(argument: string): SlotSpec {
  const [slot = '', level] = argument.split(':')
  if (slot === 'audit') return { slot, plugin: auditLog, config: { policy: { omitStages: ['RequestReceived'], rules: [{ level }] } } }
  const keys = [{ name: 'bench', secret: Buffer.alloc(32, 1).toString('base64') }]
  return { slot, plugin: encryption, config: { keys, resources: ['pods'] } }
}

const host = createHost({
  name: 'bench',
  role: 'control-plane',
  freeze: false,
  metrics: prometheusMetrics(),
  inherit: [[HostSettingsCap, { dataDir: directory, clusterName: 'bench', listen: '127.0.0.1:0' }]],
  plugins: [
    { slot: 'store', plugin: memoryStore },
    { slot: 'objects', plugin: objectsPlugin },
    { slot: 'kinds', plugin: workloadKinds },
    { slot: 'api', plugin: apiHttp, config: { authorization: 'AlwaysDeny', limits: { reads: 5_000, writes: 5_000, longRunning: 20_000 } } },
    { slot: 'rbac', plugin: rbac },
    ...process.argv.slice(2).map(composed),
  ],
})
await host.start()
const { url, authority, issue } = host.use(ApiEndpointCap)
const store = host.use(StoreCap)
/** Of all pods, in the order in which they were created. */
const names: string[] = []
const client = host.use(ObjectClientCap)
const pods = client.for(Pod)
let next = 1_000_000

const user = await issue({ name: 'bench', groups: ['benches'] }, 1)
const apiGroup = 'rbac.authorization.k8s.io'
await client.for(ClusterRole).create({
  apiVersion: `${apiGroup}/v1`,
  kind: 'ClusterRole',
  metadata: { name: 'bench' },
  rules: [{ apiGroups: [''], resources: ['pods', 'pods/status'], verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] }],
})
await client.for(ClusterRoleBinding).create({
  apiVersion: `${apiGroup}/v1`,
  kind: 'ClusterRoleBinding',
  metadata: { name: 'bench' },
  roleRef: { apiGroup, kind: 'ClusterRole', name: 'bench' },
  subjects: [{ apiGroup, kind: 'Group', name: 'benches' }],
})

serve({
  access: () => ({ port: Number(new URL(url).port), ca: authority, cert: user.certificate, key: user.privateKey }),
  /** What the bare server listens with: the same certificate. */
  serving: () => ({
    ca: authority,
    cert: readFileSync(join(directory, 'pki/api.crt'), 'utf8'),
    key: readFileSync(join(directory, 'pki/api.key'), 'utf8'),
  }),
  /** Creates pods; with `nodes`, each bound to the node of its number. Returns their names. */
  async seed({ from = 0, count, bytes, nodes = false }: { from?: number; count: number; bytes: number; nodes?: boolean }) {
    for (let i = from; i < from + count; i++) {
      const created = await pods.create(podOf(i, bytes, nodes ? `node-${i}` : undefined))
      names.push(created.metadata.name ?? '')
    }
    return names
  },
  /** Over the in-process client. */
  writes({ kind, operations }: { kind: WriteKind; operations: number }) {
    next += operations + 8
    return runWrites(client, kind, operations, next)
  },
  /** Writes one pod again and again as it is. */
  rewrite: ({ events }: { events: number }) => rewrite(events, names.slice(0, 1)),
  /** The same with the pods that were bound to the first so many nodes. */
  rewriteBound: ({ events, nodes }: { events: number; nodes: number }) => rewrite(events, names.slice(0, nodes)),
})

/** Writes past the object client, one commit in each turn of the event loop, so that only what a watch does with them is left. Returns the CPU before. */
async function rewrite(events: number, among: readonly string[]): Promise<number> {
  const before = cpuMicros()
  for (let i = 0; i < events; i++) {
    const key = objectKey(podResource, 'default', among[i % among.length] as string)
    const { entry } = await store.get(key)
    if (entry === undefined) throw new Error(`${key} is gone`)
    await store.commit({ conditions: [], writes: [{ type: 'put', key, value: entry.value }] })
    await new Promise((resolve) => setImmediate(resolve))
  }
  return before
}
