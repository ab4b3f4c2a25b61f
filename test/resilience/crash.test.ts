import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Api, openApi } from '../support/api.ts'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory, spawnContinuo } from '../support/continuo.ts'
import { eventually } from '../support/eventually.ts'
import { type ContainerProcess, containerProcesses, isRunning } from '../support/processes.ts'
import { AcknowledgedWrites } from './acknowledged-writes.ts'

const kills = Number(process.env.CONTINUO_KILLS ?? 5)
const writers = 8
const pods = '/api/v1/namespaces/default/pods'

let data: Awaited<ReturnType<typeof dataDirectory>>
beforeEach(async () => {
  data = await dataDirectory('crash')
})
afterEach(() => data.remove())

const shell = (name: string, script: string, restartPolicy: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { restartPolicy, terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'host', command: ['sh', '-c', script] }] },
})

const steady = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'steady' },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'steady' } },
    template: { metadata: { labels: { app: 'steady' } }, spec: shell('steady', 'while :; do sleep 1; done', 'Always').spec },
  },
}

interface Life {
  readonly uid: string
  readonly containerID: string
  readonly restartCount: number
  readonly startedAt: string
  readonly process: ContainerProcess
}

/** The running pods of the deployment by name, down to their processes. */
async function livesOf(api: Api): Promise<Readonly<Record<string, Life>>> {
  const { items } = (await api.ok('GET', `${pods}?labelSelector=app%3Dsteady`)).body
  expect(items).toHaveLength(3)
  const lives: Record<string, Life> = {}
  for (const { metadata, status } of items) {
    const [container] = status.containerStatuses
    const process = containerProcesses(data.path, metadata.uid).main as ContainerProcess
    expect(isRunning(process)).toBe(true)
    const { containerID, restartCount, ready, state } = container
    expect(ready).toBe(true)
    lives[metadata.name] = { uid: metadata.uid, containerID, restartCount, startedAt: state.running.startedAt, process }
  }
  return lives
}

const containerOf = async (api: Api, name: string) => (await api.ok('GET', `${pods}/${name}`)).body.status.containerStatuses?.[0]

/** Starts two pods whose containers will end while nobody watches, and resolves with how to end them. */
async function doom(api: Api, round: number): Promise<{ readonly exits: string; readonly killed: ContainerProcess }> {
  const exits = join(data.path, `exit-${round}`)
  await api.ok('POST', pods, { body: shell(`exits-${round}`, `while [ ! -e ${exits} ]; do sleep 0.02; done; exit 3`, 'Never') })
  const killed = await api.ok('POST', pods, { body: shell(`killed-${round}`, 'while :; do sleep 1; done', 'Always') })
  await eventually(async () => {
    for (const name of [`exits-${round}`, `killed-${round}`]) expect((await containerOf(api, name))?.state.running, name).toBeDefined()
  })
  return { exits, killed: containerProcesses(data.path, killed.body.metadata.uid).main as ContainerProcess }
}

/** What ended in the meantime says so, with the code that it really had and the time when it really happened. */
async function verifyDoomed(api: Api, round: number, killedAt: number, startedAt: number): Promise<void> {
  await eventually(async () => {
    const exited = await containerOf(api, `exits-${round}`)
    expect(exited).toMatchObject({ restartCount: 0, state: { terminated: { exitCode: 3, reason: 'Error' } } })
    const finished = Date.parse(exited.state.terminated.finishedAt)
    // The status counts in whole seconds.
    expect(finished).toBeGreaterThanOrEqual(killedAt - 1_000)
    expect(finished).toBeLessThanOrEqual(startedAt)
    expect((await api.ok('GET', `${pods}/exits-${round}`)).body.status.phase).toBe('Failed')
    const killed = await containerOf(api, `killed-${round}`)
    expect(killed).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 137 } }, state: { running: {} } })
  })
  for (const name of [`exits-${round}`, `killed-${round}`]) await api.ok('DELETE', `${pods}/${name}?gracePeriodSeconds=0`)
}

const configMaps = '/api/v1/namespaces/default/configmaps'

/** Follows the config maps across all lives of the server as an informer does: from the last version, and by a list after 410. */
class Follower {
  readonly #seen = new Map<string, string>()
  #version: string | undefined
  events = 0
  lists = 0

  /** Resolves when the watch has ended. */
  async follow(api: Api, signal: AbortSignal): Promise<void> {
    if (this.#version === undefined) await this.#list(api)
    const path = `${configMaps}?watch=true&resourceVersion=${this.#version}`
    // Killed or told to stop before the watch was accepted: it has ended as well.
    const events = await api.watch(path, signal).catch((error) => {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
      return []
    })
    for await (const { type, object } of events) {
      if (type === 'ERROR') {
        expect(object).toMatchObject({ code: 410, reason: 'Expired' })
        this.#version = undefined
        return this.follow(api, signal)
      }
      expect(Number(object.metadata.resourceVersion)).toBeGreaterThan(Number(this.#version))
      this.#version = object.metadata.resourceVersion
      this.events += 1
      if (type === 'DELETED') this.#seen.delete(object.metadata.name)
      else this.#seen.set(object.metadata.name, object.metadata.resourceVersion)
    }
  }

  async #list(api: Api): Promise<void> {
    const { items, metadata } = (await api.ok('GET', configMaps)).body
    this.#seen.clear()
    for (const item of items) this.#seen.set(item.metadata.name, item.metadata.resourceVersion)
    this.#version = metadata.resourceVersion
    this.lists += 1
  }

  /** Every event that was missed has arrived, or its effect has. */
  async verify(api: Api): Promise<void> {
    const stop = new AbortController()
    const following = this.follow(api, stop.signal)
    const { items } = (await api.ok('GET', configMaps)).body
    const state = items.map(({ metadata }: { metadata: { name: string; resourceVersion: string } }) => [
      metadata.name,
      metadata.resourceVersion,
    ])
    await eventually(() => expect(Object.fromEntries([...this.#seen].sort())).toEqual(Object.fromEntries(state.sort())))
    stop.abort()
    await following
  }
}

it(`survives ${kills} times kill -9 under a stream of writes`, { timeout: 60_000 + kills * 15_000 }, async () => {
  const began = performance.now()
  const writes = new AcknowledgedWrites()
  let cluster: ClusterProcess = await startProcess({ dataDir: data.path })
  let api = await openApi(cluster.kubeconfig)
  await api.ok('POST', '/apis/apps/v1/namespaces/default/deployments', { body: steady })
  const lives = await eventually(() => livesOf(api))
  const follower = new Follower()
  const readyMs: number[] = []

  for (let round = 1; round <= kills; round++) {
    const doomed = await doom(api, round)
    const following = follower.follow(api, AbortSignal.timeout(60_000))
    const writing = writes.run(api, writers)
    await sleep(100 + Math.random() * 900)
    await cluster.kill()
    const killedAt = Date.now()
    await Promise.all([writing, following])
    api[Symbol.dispose]()

    for (const { process } of Object.values(lives)) expect(isRunning(process)).toBe(true)
    await writeFile(doomed.exits, '')
    process.kill(doomed.killed.pid, 'SIGKILL')
    await eventually(() => expect(isRunning(doomed.killed)).toBe(false))
    // Every third time the next life ends as well, somewhere in its start.
    if (round % 3 === 0) await killWhileStarting()

    const startedAt = Date.now() + 1_000
    cluster = await startProcess({ dataDir: data.path })
    readyMs.push(cluster.readyMs)
    api = await openApi(cluster.kubeconfig)
    await writes.verify(api)
    await verifyDoomed(api, round, killedAt, startedAt)
    expect(await livesOf(api)).toEqual(lives)
    await follower.verify(api)
  }

  expect(writes.acknowledged).toBeGreaterThan(kills * 20)
  await cluster.interrupt()
  await eventually(() => expect(Object.values(lives).some(({ process }) => isRunning(process))).toBe(false))
  await report(writes, follower, readyMs, performance.now() - began)
})

async function killWhileStarting(): Promise<void> {
  const run = spawnContinuo(['up', '--data-dir', data.path, '--listen', '127.0.0.1:0'])
  await sleep(Math.random() * 2_000)
  run.child.kill('SIGKILL')
  await run.ended
}

/** With `CONTINUO_RESULTS=docs/results` the figures are written down, with the day and the machine. */
async function report(writes: AcknowledgedWrites, follower: Follower, readyMs: readonly number[], tookMs: number): Promise<void> {
  const directory = process.env.CONTINUO_RESULTS
  const sorted = [...readyMs].sort((a, b) => a - b)
  const [cpu] = cpus()
  const lines = [
    `# kill -9 of the whole process, ${kills} times under a stream of writes`,
    '',
    `\`CONTINUO_KILLS=${kills} CONTINUO_RESULTS=docs/results vitest run --project system test/resilience/crash.test.ts\``,
    '',
    'The run ends at the first fault, so this file says that there was none.',
    '',
    '| what | figure |',
    '| --- | --- |',
    `| day | ${new Date().toISOString().slice(0, 10)} |`,
    `| machine | ${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version} |`,
    `| kills | ${kills}, and ${Math.floor(kills / 3)} more during the start that followed |`,
    `| writers at once | ${writers} |`,
    `| acknowledged writes | ${writes.acknowledged}, of which lost: 0 |`,
    `| writes in doubt at a kill | ${writes.inDoubt}, of which had happened: ${writes.inDoubtApplied}, half-way: 0 |`,
    `| versions given twice, or not above the earlier ones | 0 |`,
    `| events seen by a watcher that goes on after every kill | ${follower.events}, lists that it needed: ${follower.lists} |`,
    `| containers adopted at each start | 3, restarted: 0 |`,
    `| containers that ended while nobody watched | ${2 * kills}, wrong exit codes: 0 |`,
    `| from process start to ready | median ${sorted[Math.floor(sorted.length / 2)]} ms, longest ${sorted.at(-1)} ms |`,
    `| whole run | ${Math.round(tookMs / 1_000)} s |`,
    '',
  ]
  if (directory === undefined) return
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'kill-9.md'), lines.join('\n'))
}
