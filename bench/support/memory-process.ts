// A control plane on the durable store, whose values are on disk, so that what is in memory is the cache and what is derived from it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createHost,
  definePlugin,
  type Host,
  HostSettingsCap,
  ObjectClientCap,
  ObjectServiceCap,
  objectsPlugin,
  type PluginContext,
} from '@continuo/core'
import { Pod, workloadKinds } from '@continuo/workload'
import { storeSqlite } from '../../packages/plugin-store-sqlite/src/index.ts'
import { serve } from './child.ts'
import { podOf } from './pods.ts'

const directory = mkdtempSync(join(tmpdir(), 'continuo-bench-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

const watcher = definePlugin({ name: 'watcher', api: '^1', setup: (ctx: PluginContext) => void ctx.informer(Pod) })
let host: Host

async function start({ informers, empty }: { informers: boolean; empty: boolean }): Promise<void> {
  host = createHost({
    name: 'bench',
    role: 'control-plane',
    freeze: false,
    leaderElection: false,
    inherit: [[HostSettingsCap, { dataDir: join(directory, empty ? 'empty' : 'full'), clusterName: 'bench' }]],
    plugins: [
      { slot: 'store', plugin: storeSqlite },
      { slot: 'objects', plugin: objectsPlugin },
      { slot: 'kinds', plugin: workloadKinds },
      ...(informers ? [{ slot: 'watcher', plugin: watcher }] : []),
    ],
  })
  await host.start()
}

const stop = (): Promise<void> => host.stop()
const client = () => host.use(ObjectClientCap).for(Pod)

serve({
  start,
  stop,
  async fill({ pods, bytes }: { pods: number; bytes: number }) {
    await start({ informers: false, empty: false })
    const work = async (worker: number): Promise<void> => {
      for (let i = worker; i < pods; i += 64) await client().create(podOf(i, bytes))
    }
    await Promise.all(Array.from({ length: 64 }, (_, worker) => work(worker)))
    await stop()
  },
  /** As requests over HTTP do it: the encoding of each object is kept, within the budget for what is derived. */
  async read() {
    const service = host.use(ObjectServiceCap)
    const caller = { user: { username: 'bench', groups: ['system:masters'] }, trusted: true, fieldManager: 'bench' }
    for (const { metadata } of (await client().list()).items) {
      const at = { group: '', version: 'v1', resource: 'pods', namespace: metadata.namespace ?? '', name: metadata.name ?? '' }
      const view = await service.get(at, {}, caller)
      view.encoded('json', (one) => one.json)
    }
  },
  async json() {
    let bytes = 0
    for (const pod of (await client().list()).items) bytes += Buffer.byteLength(JSON.stringify(pod))
    return bytes
  },
})
