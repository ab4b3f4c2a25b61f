// An API server on the in-memory store, in a process of its own.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collectionPrefix, createHost, HostSettingsCap, memoryStore, ObjectClientCap, objectsPlugin, StoreCap } from '@continuo/core'
import { apiHttp, prometheusMetrics } from '@continuo/plugin-api-http'
import { ApiEndpointCap, Pod, podResource, workloadKinds } from '@continuo/workload'
import { cpuMicros, serve } from './child.ts'
import { podOf } from './pods.ts'

const directory = mkdtempSync(join(tmpdir(), 'continuo-bench-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

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
    { slot: 'api', plugin: apiHttp, config: { limits: { reads: 5_000, writes: 5_000 } } },
  ],
})
await host.start()
const { url, authority, admin } = host.use(ApiEndpointCap)
const store = host.use(StoreCap)
const pods = host.use(ObjectClientCap).for(Pod)

serve({
  access: () => ({ port: Number(new URL(url).port), ca: authority, cert: admin?.certificate, key: admin?.privateKey }),
  /** What the bare server listens with: the same certificate. */
  serving: () => ({
    ca: authority,
    cert: readFileSync(join(directory, 'pki/api.crt'), 'utf8'),
    key: readFileSync(join(directory, 'pki/api.key'), 'utf8'),
  }),
  /** Creates pods; with `nodes`, each bound to the node of its number. Returns their names. */
  async seed({ from = 0, count, bytes, nodes = false }: { from?: number; count: number; bytes: number; nodes?: boolean }) {
    const names: string[] = []
    for (let i = from; i < from + count; i++) {
      const created = await pods.create(podOf(i, bytes, nodes ? `node-${i}` : undefined))
      names.push(created.metadata.name ?? '')
    }
    return names
  },
  /** Writes so many pods again as they are, one commit each, past the object client: only what a watch does with them is left. */
  async rewrite({ events, pods: among }: { events: number; pods: number }) {
    const { entries } = await store.list(collectionPrefix(podResource, 'default'), { limit: among })
    const before = cpuMicros()
    for (let i = 0; i < events; i++) {
      const entry = entries[i % entries.length] as (typeof entries)[number]
      await store.commit({ conditions: [], writes: [{ type: 'put', key: entry.key, value: entry.value }] })
      await new Promise((resolve) => setImmediate(resolve))
    }
    return before
  },
})
