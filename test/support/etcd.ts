import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.ts'

const binary = process.env.ETCD ?? 'etcd'

const notFound = 'etcd is not on the PATH; install it with: apt-get install etcd-server'
const isThere = (): boolean => spawnSync(binary, ['--version']).status === 0

/** Why tests with etcd are skipped on this machine; undefined when they can run. In CI they fail instead. */
export const etcdMissing: string | undefined = process.env.CI === 'true' || isThere() ? undefined : notFound

/** What the name of a group of tests ends with: nothing, or why it is skipped. */
export const etcdNote = etcdMissing === undefined ? '' : ` (skipped: ${etcdMissing})`

/** One real process of etcd, with its data in a temporary directory. */
export interface EtcdMember {
  readonly name: string
  readonly endpoint: string
  readonly pid: number
  /** As a power cut: SIGKILL. */
  kill(): Promise<void>
  /** Starts it again on the same data and port. Resolves when it runs; it may not have a leader yet. */
  start(): void
  /** SIGSTOP: it holds its connections and answers nothing. */
  pause(): void
  resume(): void
}

export interface Etcd {
  readonly members: readonly EtcdMember[]
  readonly endpoints: readonly string[]
  /** Resolves when most members have a leader. */
  healthy(timeoutMs?: number): Promise<void>
  /** The member that leads now. */
  leader(): Promise<EtcdMember>
  stop(): Promise<void>
}

export interface EtcdOptions {
  /** Default 1. */
  readonly members?: number
  /** Files in PEM; members and clients show certificates to each other. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string }
  readonly flags?: readonly string[]
}

/** Starts a cluster of etcd on loopback and resolves when it has a leader. */
export async function startEtcd({ members: size = 1, tls, flags = [] }: EtcdOptions = {}): Promise<Etcd> {
  if (!isThere()) throw new Error(notFound)
  const directory = mkdtempSync(join(tmpdir(), 'continuo-etcd-'))
  const ports = await freePorts(size * 3)
  const scheme = tls === undefined ? 'http' : 'https'
  const plans = Array.from({ length: size }, (_, index) => ({
    name: `m${index + 1}`,
    client: `${scheme}://127.0.0.1:${ports[index * 3]}`,
    peer: `http://127.0.0.1:${ports[index * 3 + 1]}`,
    metrics: `http://127.0.0.1:${ports[index * 3 + 2]}`,
  }))
  const cluster = plans.map(({ name, peer }) => `${name}=${peer}`).join(',')
  const members = plans.map((plan) => {
    const args = [
      ['--name', plan.name],
      ['--data-dir', join(directory, plan.name)],
      ['--listen-client-urls', plan.client],
      ['--advertise-client-urls', plan.client],
      ['--listen-peer-urls', plan.peer],
      ['--initial-advertise-peer-urls', plan.peer],
      ['--listen-metrics-urls', plan.metrics],
      ['--initial-cluster', cluster],
      ['--initial-cluster-state', 'new'],
      ['--pre-vote=true', '--log-level', 'error', '--logger', 'zap'],
      ...(tls === undefined
        ? []
        : [
            ['--client-cert-auth', '--trusted-ca-file', tls.ca],
            ['--cert-file', tls.cert],
            ['--key-file', tls.key],
          ]),
      flags,
    ].flat()
    return new Process(plan.name, plan.client, plan.metrics, args)
  })
  const etcd: Etcd = {
    members,
    endpoints: members.map(({ endpoint }) => endpoint),
    healthy: (timeoutMs = 15_000) =>
      eventually(async () => {
        const answers = await Promise.all(members.map((member) => member.isHealthy()))
        if (answers.filter(Boolean).length * 2 <= size)
          throw new Error(`etcd has no leader:\n${members.map((member) => member.output).join('\n')}`)
      }, timeoutMs),
    leader: () =>
      eventually(async () => {
        for (const member of members) if (await member.leads()) return member
        throw new Error('no member leads')
      }),
    stop: async () => {
      await Promise.all(members.map((member) => member.kill()))
      rmSync(directory, { recursive: true, force: true })
    },
  }
  for (const member of members) member.start()
  await etcd.healthy().catch(async (error) => {
    await etcd.stop()
    throw error
  })
  return etcd
}

class Process implements EtcdMember {
  readonly name: string
  readonly endpoint: string
  output = ''
  readonly #metrics: string
  readonly #args: readonly string[]
  #child: ChildProcess | undefined

  constructor(name: string, endpoint: string, metrics: string, args: readonly string[]) {
    this.name = name
    this.endpoint = endpoint
    this.#metrics = metrics
    this.#args = args
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  start(): void {
    const child = spawn(binary, this.#args, { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr.on('data', (data: Buffer) => {
      this.output = (this.output + data.toString()).slice(-4_000)
    })
    const killWithUs = (): void => void child.kill('SIGKILL')
    process.on('exit', killWithUs)
    child.on('error', (error) => {
      this.output += String(error)
    })
    child.on('exit', () => process.off('exit', killWithUs))
    this.#child = child
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  async isHealthy(): Promise<boolean> {
    return (await this.#ask('/health')).includes('"true"')
  }

  async leads(): Promise<boolean> {
    return /^etcd_server_is_leader 1$/m.test(await this.#ask('/metrics'))
  }

  async #ask(path: string): Promise<string> {
    try {
      return await (await fetch(this.#metrics + path, { signal: AbortSignal.timeout(2_000) })).text()
    } catch {
      return ''
    }
  }
}

/** Ports of loopback that were free a moment ago. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(servers.map((server) => once(server.listen(0, '127.0.0.1'), 'listening')))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}
