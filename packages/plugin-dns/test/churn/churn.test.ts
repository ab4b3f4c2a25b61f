import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { type AnyPlugin, createHost, memoryStore, Namespace, type ObjectClient, ObjectClientCap } from '@continuo/core'
import { createSeededRandom } from '@continuo/testkit'
import { EndpointSlice, Service, workloadKinds } from '@continuo/workload'
import packet from 'dns-packet'
import { expect, it, onTestFinished } from 'vitest'
import { dns } from '../../src/index.ts'
import { type Change, ChurnModel } from './churn-model.ts'

const queries = Number(process.env.CONTINUO_DNS_QUERIES ?? 20_000)
const seed = Number(process.env.CONTINUO_SEED ?? 20_261_121)
const services = 200
const clients = 16
/** A change has this long until every answer knows it. */
const mostLagMs = 1_000

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

/** A control plane, and beside it a node with nothing but the name server, as they are in a cluster of one process. */
async function start(): Promise<{ readonly client: ObjectClient; readonly port: number }> {
  const plugins: Readonly<Record<string, AnyPlugin>> = { store: memoryStore, kinds: workloadKinds }
  const control = createHost({
    name: 'churn',
    role: 'control-plane',
    plugins: Object.entries(plugins).map(([slot, plugin]) => ({ slot, plugin })),
  })
  await control.start()
  onTestFinished(() => control.stop())
  const client = control.use(ObjectClientCap)
  const port = await freePort()
  const node = createHost({
    name: 'churn-node',
    role: 'node',
    inherit: [[ObjectClientCap, client]],
    plugins: [{ slot: 'dns', plugin: dns, config: { listen: [`127.0.0.1:${port}`], upstreams: [] } }],
  })
  await node.start()
  onTestFinished(() => node.stop())
  return { client, port }
}

async function write(client: ObjectClient, { kind, name, exists, object }: Change): Promise<void> {
  const target = (kind === 'Service' ? client.for(Service) : client.for(EndpointSlice)) as ReturnType<typeof client.for<Service>>
  const key = { namespace: 'shop', name }
  if (object === undefined) await target.delete(key)
  else if (!exists) await target.create(object as Service)
  else {
    const { metadata } = await target.get(key)
    await target.update({
      ...(object as Service),
      metadata: { ...object.metadata, resourceVersion: metadata.resourceVersion, uid: metadata.uid },
    })
  }
}

/** A client with a socket of its own that asks one question at a time. */
class Client {
  readonly #socket = createSocket('udp4')
  readonly #port: number
  #id = 0

  constructor(port: number) {
    this.#port = port
    onTestFinished(() => void this.#socket.close())
  }

  /** Sorted addresses; `''` when there is no such name. */
  async ask(name: string): Promise<string> {
    this.#id = (this.#id + 1) & 0xffff
    const id = this.#id
    this.#socket.send(packet.encode({ id, type: 'query', questions: [{ name, type: 'A' }] }), this.#port, '127.0.0.1')
    const [bytes] = (await once(this.#socket, 'message', { signal: AbortSignal.timeout(10_000) })) as [Buffer]
    const answer = packet.decode(bytes)
    expect(answer.id).toBe(id)
    expect((answer as unknown as { rcode: string }).rcode).toBe(answer.answers?.length === 0 ? 'NXDOMAIN' : 'NOERROR')
    return (answer.answers ?? [])
      .map((one) => ('data' in one ? String(one.data) : ''))
      .sort()
      .join(' ')
  }
}

it(`answers ${queries} questions under a stream of changes, none of them wrong`, { timeout: 60_000 + queries }, async () => {
  const { client, port } = await start()
  await client.for(Namespace).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  const model = new ChurnModel(createSeededRandom(seed), services)
  const lags: number[] = []
  let asked = 0
  let changes = 0
  const wrong: string[] = []
  const began = performance.now()

  const checked = async (asking: Client, question = model.question()): Promise<void> => {
    const sent = performance.now()
    const answer = await asking.ask(question.name)
    asked++
    const right = model.right(question, sent - mostLagMs, performance.now())
    if (!right.has(answer)) wrong.push(`${question.name}: ${answer || 'no such name'}, not ${[...right].join(' or ') || 'that'}`)
  }
  const asking = Array.from({ length: clients }, async () => {
    const own = new Client(port)
    while (asked < queries && wrong.length === 0) await checked(own)
  })
  const watching = new Client(port)
  while (asked < queries && wrong.length === 0) {
    const at = performance.now()
    const change = model.change(at)
    await write(client, change)
    changes++
    // Until the name server knows it: what the service's own name, or else its endpoint's, has from now on.
    const question = { service: change.of, name: `${change.of}.shop.svc.cluster.local` }
    const committed = performance.now()
    const [expected] = model.right(question, committed, committed)
    while ((await watching.ask(question.name)) !== expected && performance.now() - at < 5 * mostLagMs);
    lags.push(performance.now() - at)
  }
  await Promise.all(asking)
  expect(wrong).toEqual([])

  // And when it is quiet, each name once more, with nothing but the last state being right.
  for (let at = 0; at < services; at++) {
    const question = { service: `s${at}`, name: `s${at}.shop.svc.cluster.local` }
    const now = performance.now()
    expect([await watching.ask(question.name)], question.name).toEqual([...model.right(question, now, now)])
  }
  lags.sort((a, b) => a - b)
  const at = (share: number): number => lags[Math.min(lags.length - 1, Math.floor(lags.length * share))] as number
  expect(at(0.99)).toBeLessThan(mostLagMs)
  await report({ changes, p50: at(0.5), p99: at(0.99), longest: at(1), seconds: (performance.now() - began) / 1_000 })
})

/** With `CONTINUO_RESULTS=docs/results` the figures are written down, with the day and the machine. */
async function report(run: { changes: number; p50: number; p99: number; longest: number; seconds: number }): Promise<void> {
  const directory = process.env.CONTINUO_RESULTS
  if (directory === undefined) return
  const [cpu] = cpus()
  const lines = [
    `# ${queries.toLocaleString('en')} DNS questions under a stream of changes`,
    '',
    `\`CONTINUO_DNS_QUERIES=${queries} CONTINUO_SEED=${seed} CONTINUO_RESULTS=docs/results vitest run --project packages packages/plugin-dns/test/churn\``,
    '',
    'Changes go through the API to the store, from there by watches to the name server; questions are datagrams. Each answer is held against a model: it must be one',
    `that was right at some moment from ${mostLagMs} ms before the question on. The run ends at the first wrong one, so this file says that there was none. Clients, control plane and name`,
    'server share one process, so the rate is not that of the name server.',
    '',
    '| what | figure |',
    '| --- | --- |',
    `| day | ${new Date().toISOString().slice(0, 10)} |`,
    `| machine | ${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version} |`,
    `| services, each with up to 3 slices of 8 endpoints | ${services} |`,
    `| questions, by ${clients} clients | ${queries.toLocaleString('en')}, wrong: 0 |`,
    `| changes meanwhile | ${run.changes.toLocaleString('en')} |`,
    `| from the write of a change to an answer that knows it | median ${run.p50.toFixed(1)} ms, p99 ${run.p99.toFixed(1)} ms, longest ${run.longest.toFixed(1)} ms |`,
    `| whole run | ${Math.round(run.seconds)} s |`,
    '',
  ]
  await writeFile(join(directory, 'dns-churn.md'), lines.join('\n'))
}
