// Objects per second through watch, informer, queue and controller: doing nothing, and writing a status; beside what that must cost at least.
//   node --conditions=@continuo/source bench/reconcile.bench.ts [objects, default 3000] [rounds, default 5]

import {
  createHost,
  definePlugin,
  memoryStore,
  ObjectClientCap,
  type ObjectKey,
  objectKey,
  objectsPlugin,
  type PluginContext,
  type ResourceClient,
  type SlotSpec,
  type Store,
  StoreCap,
} from '@continuo/core'
import { Pod, podResource, workloadKinds } from '@continuo/workload'
import { cpuMicros } from './support/child.ts'
import { header, median, range, ratios, row, spread } from './support/figures.ts'
import { podOf } from './support/pods.ts'

const objects = Number(process.argv[2] ?? 3_000)
const rounds = Number(process.argv[3] ?? 5)
const concurrency = 8

/** A control plane with the same pods; with a controller for them, or without. */
async function start(plugins: readonly SlotSpec[]) {
  const host = createHost({
    name: 'bench',
    role: 'control-plane',
    freeze: false,
    leaderElection: false,
    plugins: [
      { slot: 'store', plugin: memoryStore },
      { slot: 'objects', plugin: objectsPlugin },
      { slot: 'kinds', plugin: workloadKinds },
      ...plugins,
    ],
  })
  await host.start()
  const pods = host.use(ObjectClientCap).for(Pod)
  const names: string[] = []
  for (let i = 0; i < objects; i++) names.push((await pods.create(podOf(i, 2_048))).metadata.name ?? '')
  return { host, pods, names, store: host.use(StoreCap) }
}

let work: (at: ObjectKey) => Promise<void> = async () => {}
let reconciled = 0
const controller = definePlugin({
  name: 'bench',
  api: '^1',
  setup: (ctx: PluginContext) =>
    ctx.controller({
      name: 'bench',
      for: Pod,
      concurrency,
      async reconcile(key) {
        await work(key)
        reconciled++
      },
    }),
})
const bare = await start([])
const ours = await start([{ slot: 'bench', plugin: controller }])
await untilReconciled(objects)

async function untilReconciled(count: number): Promise<void> {
  while (reconciled < count) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** Writes every object once as it is, past the object client. */
async function touchAll(store: Store, names: readonly string[], then: (value: Uint8Array) => void = () => {}): Promise<void> {
  for (const [i, name] of names.entries()) {
    const key = objectKey(podResource, 'default', name)
    const value = (await store.get(key)).entry?.value ?? new Uint8Array()
    await store.commit({ conditions: [], writes: [{ type: 'put', key, value }] })
    then(value)
    if (i % 32 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Microseconds of CPU per object. */
async function costOf(run: () => Promise<unknown>): Promise<number> {
  const before = cpuMicros()
  await run()
  return (cpuMicros() - before) / objects
}

/** What touching and an informer that only parses must cost. */
const parsed: unknown[] = []
const touchAndParse = (): Promise<void> =>
  touchAll(bare.store, bare.names, (value) => {
    parsed[0] = JSON.parse(Buffer.from(value.subarray(3)).toString())
  })

async function touchAndReconcile(times: number): Promise<void> {
  reconciled = 0
  await touchAll(ours.store, ours.names)
  await untilReconciled(objects * times)
}

let note = 0
const statusWriter =
  (pods: ResourceClient<Pod>) =>
  async (at: ObjectKey): Promise<void> => {
    const pod = await pods.get(at)
    const message = `seen ${note}`
    if (pod.status?.message !== message) await pods.updateStatus({ ...pod, status: { ...pod.status, message } })
  }

/** The same status writes without a controller, as many at a time. */
async function writeAll(): Promise<void> {
  const write = statusWriter(bare.pods)
  const some = async (worker: number): Promise<void> => {
    for (let i = worker; i < objects; i += concurrency) await write({ namespace: 'default', name: bare.names[i] as string })
  }
  await Promise.all(Array.from({ length: concurrency }, (_, worker) => some(worker)))
}

const noop = { ours: [] as number[], bare: [] as number[] }
const status = { ours: [] as number[], bare: [] as number[] }
for (let round = -1; round < rounds; round++) {
  note++
  const least = await costOf(touchAndParse)
  const nothing = await costOf(() => touchAndReconcile(1))
  const leastWrites = await costOf(writeAll)
  work = statusWriter(ours.pods)
  // Its own write brings every object a second time.
  const writes = await costOf(() => touchAndReconcile(2))
  work = async () => {}
  if (round < 0) continue
  noop.bare.push(least)
  noop.ours.push(nothing)
  status.bare.push(leastWrites)
  status.ours.push(writes)
}

header(['reconcile', 'µs of CPU per object (range)', 'objects per second of CPU', 'at least', 'ratio (range)'])
for (const [title, { ours, bare }] of [
  ['does nothing; at least: the commit, parsed once', noop],
  ['writes a status; at least: the same writes', status],
] as const) {
  const shares = ratios(ours, bare)
  row([
    title,
    spread(ours),
    Math.round(1e6 / median(ours)).toLocaleString('en'),
    spread(bare),
    `${median(shares).toFixed(2)} (${range(shares, 2)})`,
  ])
}
process.exit()
