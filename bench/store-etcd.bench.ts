// Commits and watches of the store on etcd beside a bare gRPC client that sends the same transactions, in one run; etcd's own figure first.
//   node --conditions=@continuo/source bench/store-etcd.bench.ts [seconds per round, default 1] [rounds, default 5]

import { spawnSync } from 'node:child_process'
import { Client, credentials } from '@grpc/grpc-js'
import { kv } from '../packages/plugin-store-etcd/src/etcd-protocol.ts'
import { EtcdStore } from '../packages/plugin-store-etcd/src/index.ts'
import { etcdMissing, startEtcd } from '../test/support/etcd.ts'

const seconds = Number(process.argv[2] ?? 1)
const rounds = Number(process.argv[3] ?? 5)
const keys = 1_000
const value = new Uint8Array(1_024).fill(120)

/** One update of a key on condition of the revision of its last one; resolves with its own. */
type Update = (key: string, revision: number) => Promise<number>

/** Each writer updates its own keys. Returns commits per second, and milliseconds of this process's CPU for a thousand of them. */
async function round(update: Update, writers: number, name: string): Promise<{ rate: number; cpu: number }> {
  const began = performance.now()
  const cpu = process.cpuUsage()
  const end = began + seconds * 1_000
  let commits = 0
  const writer = async (index: number): Promise<void> => {
    const known = new Map<string, number>()
    for (let i = 0; performance.now() < end; i++) {
      const key = `/objects/${name}/${index}-${i % Math.ceil(keys / writers)}`
      known.set(key, await update(key, known.get(key) ?? 0))
      commits++
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, index) => writer(index)))
  const { user, system } = process.cpuUsage(cpu)
  return { rate: commits / ((performance.now() - began) / 1_000), cpu: (user + system) / commits }
}

function bareUpdate(endpoint: string): { update: Update; close: () => void } {
  const client = new Client(new URL(endpoint).host, credentials.createInsecure())
  const { path, requestSerialize, responseDeserialize } = kv.Txn
  const update: Update = (text, revision) =>
    new Promise((resolve, reject) => {
      const key = Buffer.from(`bare:${text}`)
      const request = {
        compare: [{ target: 'MOD' as const, key, modRevision: revision }],
        success: [{ requestPut: { key, value } }],
        failure: [{ requestRange: { key } }],
      }
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) => {
        if (error !== null || answer?.succeeded !== true) reject(error ?? new Error('refused'))
        else resolve(answer.header.revision)
      })
    })
  return { update, close: () => client.close() }
}

const storeUpdate =
  (store: EtcdStore): Update =>
  async (key, modRevision) => {
    const result = await store.commit({ conditions: [{ key, modRevision }], writes: [{ type: 'put', key, value }] })
    if (!result.committed) throw new Error(`refused: ${key}`)
    return result.revision
  }

/** Milliseconds from the call of a commit until a watch has shown it. */
async function watchLatency(store: EtcdStore, count: number): Promise<readonly number[]> {
  const began = new Map<number, number>()
  const times: number[] = []
  const watch = store.watch('/latency', { after: await store.head(), signal: AbortSignal.timeout(60_000) })[Symbol.asyncIterator]()
  for (let i = 0; i <= count; i++) {
    const next = watch.next()
    began.set(i, performance.now())
    void store.commit({ conditions: [], writes: [{ type: 'put', key: '/latency', value }] })
    await next
    if (i > 0) times.push(performance.now() - (began.get(i) as number))
  }
  await watch.return?.()
  return times
}

const sorted = (values: readonly number[]): readonly number[] => [...values].sort((a, b) => a - b)
const quantile = (values: readonly number[], q: number): number => sorted(values)[Math.floor(values.length * q)] ?? 0
const range = (values: readonly number[], digits = 0): string =>
  `${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)}`

/** What etcd's own tool writes each second; it holds back above 8,000. */
async function checkPerf(): Promise<string> {
  const own = await startEtcd()
  const args = ['--endpoints', ...own.endpoints, 'check', 'perf', '--load', 'l']
  const { stdout, stderr } = spawnSync('etcdctl', args, { encoding: 'utf8', env: { ...process.env, ETCDCTL_API: '3' } })
  await own.stop()
  return /Throughput[^:]*?(\d+ writes\/s)/.exec(`${stdout}${stderr}`)?.[1] ?? `${stdout}${stderr}`.trim().split('\n').slice(-4).join('; ')
}

if (etcdMissing !== undefined) {
  console.log(etcdMissing)
  process.exit(0)
}
console.log(`etcdctl check perf --load l, for a minute, on an etcd of its own: ${await checkPerf()}\n`)
const etcd = await startEtcd()
const [endpoint = ''] = etcd.endpoints

const store = new EtcdStore({ endpoints: etcd.endpoints, prefix: 'bench:' })
const bare = bareUpdate(endpoint)
console.log('| writers | store, commits/s (range) | bare gRPC (range) | ratio of pairs (range) | store, µs of CPU | bare |')
console.log('|---|---|---|---|---|---|')
for (const writers of [1, 16, 64, 256]) {
  const ours: { rate: number; cpu: number }[] = []
  const theirs: { rate: number; cpu: number }[] = []
  for (let index = 0; index < rounds; index++) {
    ours.push(await round(storeUpdate(store), writers, `${writers}-${index}`))
    theirs.push(await round(bare.update, writers, `${writers}-${index}`))
  }
  const ratios = ours.map(({ rate }, index) => rate / (theirs[index]?.rate ?? 1))
  const rates = [ours, theirs].map((all) => all.map(({ rate }) => rate))
  const cells = [
    writers,
    ...rates.map((all) => `${quantile(all, 0.5).toFixed(0)} (${range(all)})`),
    `${quantile(ratios, 0.5).toFixed(2)} (${range(ratios, 2)})`,
    ...[ours, theirs].map((all) =>
      quantile(
        all.map(({ cpu }) => cpu),
        0.5,
      ).toFixed(0),
    ),
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
const times = await watchLatency(store, 500)
console.log(`\nfrom commit to watch: p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms`)

bare.close()
await store.close()
await etcd.stop()
