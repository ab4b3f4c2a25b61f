import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, silentLog } from '@continuo/core'
import type { ContainerSpec, LogOptions, SandboxSpec } from '@continuo/workload'
import { runtimeProcessConfig } from '../src/config.ts'
import { ProcessRuntime } from '../src/process-runtime.ts'

/** The tests talk to real processes, so they run on real time. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
  yield: () => new Promise((resolve) => setImmediate(resolve)),
}

/** Polls until the probe answers something other than undefined or false. */
export async function eventually<T>(what: string, probe: () => T | Promise<T>, ms = 10_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + ms
  for (;;) {
    const found = await probe()
    if (found !== undefined && found !== false && found !== null) return found as NonNullable<T>
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`)
    await sleep(10)
  }
}

export const sandboxSpec = (uid: string, more: Partial<SandboxSpec> = {}): SandboxSpec => ({
  uid,
  namespace: 'default',
  name: uid,
  hostname: uid,
  hostNetwork: false,
  shareProcessNamespace: false,
  hostPid: false,
  hostIpc: false,
  sysctls: {},
  hostAliases: [],
  ports: [],
  labels: {},
  annotations: {},
  resources: {},
  ...more,
})

export const containerSpec = (sandbox: string, script: string, more: Partial<ContainerSpec> = {}): ContainerSpec => ({
  sandbox,
  name: 'main',
  attempt: 0,
  kind: 'main',
  image: 'host',
  command: ['sh', '-c', script],
  args: [],
  env: [],
  mounts: [],
  devices: [],
  resources: {},
  security: {
    supplementalGroups: [],
    privileged: false,
    readOnlyRootFilesystem: false,
    allowPrivilegeEscalation: true,
    addCapabilities: [],
    dropCapabilities: [],
  },
  stdin: false,
  stdinOnce: false,
  tty: false,
  log: { maxBytes: 10_000_000, maxFiles: 3 },
  labels: {},
  hash: 'hash',
  ...more,
})

/** A directory with runtimes on it; `restart` is what happens when the agent is killed and started again. */
export class Host {
  readonly directory = mkdtempSync(join(tmpdir(), 'continuo-runtime-'))
  readonly #config: Record<string, unknown>
  readonly #used = new Set<string>()
  runtime: ProcessRuntime

  constructor(config: Record<string, unknown> = {}) {
    chmodSync(this.directory, 0o755)
    this.#config = config
    this.runtime = this.#make()
  }

  #make(): ProcessRuntime {
    const config = { ...runtimeProcessConfig.parse(this.#config), directory: this.directory }
    return new ProcessRuntime({ config, clock: realClock, log: silentLog, env: { PATH: process.env.PATH ?? '' } })
  }

  restart(): ProcessRuntime {
    this.runtime.close()
    this.runtime = this.#make()
    return this.runtime
  }

  async sandbox(uid: string, more: Partial<SandboxSpec> = {}) {
    this.#used.add(uid)
    return this.runtime.ensureSandbox(sandboxSpec(uid, more))
  }

  /** Starts a shell script as the container `main` of a sandbox. */
  async run(uid: string, script: string, more: Partial<ContainerSpec> = {}) {
    await this.sandbox(uid)
    return this.runtime.ensureContainer(containerSpec(uid, script, more))
  }

  async state(uid: string, name = 'main', attempt?: number) {
    const sandbox = (await this.runtime.list()).find((one) => one.uid === uid)
    const found = sandbox?.containers.findLast((one) => one.name === name && (attempt === undefined || one.attempt === attempt))
    if (found === undefined) throw new Error(`no container ${name} in ${uid}`)
    return found
  }

  ended(uid: string, name = 'main') {
    return eventually(`${uid}/${name} ends`, async () => {
      const state = await this.state(uid, name)
      return state.state === 'running' ? undefined : state
    })
  }

  async logs(uid: string, options: Partial<LogOptions> = {}, name = 'main') {
    const out = new PassThrough()
    const text = collect(out)
    await this.runtime.logs(
      { sandbox: uid, name },
      { follow: false, previous: false, timestamps: false, ...options },
      out,
      AbortSignal.timeout(10_000),
    )
    out.end()
    return text
  }

  containerPath(uid: string, name = 'main', attempt = 0) {
    return join(this.directory, 'sandboxes', uid, 'containers', `${name}.${attempt}`)
  }

  async close() {
    for (const uid of this.#used) await this.runtime.removeSandbox(uid)
    this.runtime.close()
    // A shim that has told the end of its container takes a moment to end itself.
    await eventually(`no process of ${this.directory} is left`, () => processesWith(this.directory).length === 0, 2000)
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += chunk.toString()
  return text
}

/** Processes whose command line or environment names a text. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text) || readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text)
        )
      } catch {
        return false
      }
    })
    .map(Number)
}

const unshare = spawnSync('unshare', process.getuid?.() === 0 ? ['--mount', 'true'] : ['--user', '--map-root-user', '--mount', 'true'])

/** This machine lets us have no mount namespace. In CI that is a failure and not a reason to skip. */
export const noNamespaces = unshare.status !== 0 && process.env.CI !== 'true'
