import { PassThrough } from 'node:stream'
import { silentLog, systemClock } from '@continuo/core'
import { DockerRuntime, type DockerRuntimeOptions, runtimeDockerConfig } from '@continuo/plugin-runtime-docker'
import type { ContainerSpec, LogOptions, RuntimeContainer, SandboxSpec } from '@continuo/workload'
import type { Docker } from '../support/docker.ts'
import { eventually } from '../support/eventually.ts'

/** A runtime on the daemon, as an agent that starts makes it. */
export const runtimeOn = (docker: Docker, owner = 'suite', more: Partial<DockerRuntimeOptions> = {}): DockerRuntime =>
  new DockerRuntime({
    config: { ...runtimeDockerConfig.parse({ socket: docker.socket, cgroupParent: docker.cgroupParent }), owner },
    clock: systemClock,
    log: silentLog,
    hostAddress: () => '127.0.0.1',
    ...more,
  })

export const sandboxSpec = (uid: string, more: Partial<SandboxSpec> = {}): SandboxSpec => ({
  uid,
  namespace: 'default',
  name: `pod-${uid}`,
  hostname: `pod-${uid}`,
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

export const containerSpec = (docker: Docker, sandbox: string, script: string, more: Partial<ContainerSpec> = {}): ContainerSpec => ({
  sandbox,
  name: 'main',
  attempt: 0,
  kind: 'main',
  image: docker.image,
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
  log: { maxBytes: 1_000_000, maxFiles: 3 },
  labels: {},
  hash: 'hash',
  ...more,
})

/** Pods on one daemon, each a sandbox with scripts. */
export class Pods {
  readonly docker: Docker
  runtime: DockerRuntime

  constructor(docker: Docker, runtime = runtimeOn(docker)) {
    this.docker = docker
    this.runtime = runtime
  }

  async run(uid: string, script: string, more: Partial<ContainerSpec> = {}, sandbox: Partial<SandboxSpec> = {}): Promise<RuntimeContainer> {
    await this.runtime.ensureSandbox(sandboxSpec(uid, sandbox))
    return this.runtime.ensureContainer(containerSpec(this.docker, uid, script, more))
  }

  async state(uid: string, name = 'main', attempt?: number): Promise<RuntimeContainer> {
    const sandbox = (await this.runtime.list()).find((one) => one.uid === uid)
    const found = sandbox?.containers.findLast((one) => one.name === name && (attempt === undefined || one.attempt === attempt))
    if (found === undefined) throw new Error(`no container ${name} in ${uid}`)
    return found
  }

  ended(uid: string, name = 'main'): Promise<RuntimeContainer> {
    return eventually(async () => {
      const state = await this.state(uid, name)
      if (state.state !== 'exited') throw new Error(`${uid}/${name} is ${state.state}`)
      return state
    }, 15_000)
  }

  async logs(uid: string, options: Partial<LogOptions> = {}, name = 'main'): Promise<string> {
    const out = new PassThrough()
    const text = collect(out)
    const all = { follow: false, previous: false, timestamps: false, ...options }
    await this.runtime.logs({ sandbox: uid, name }, all, out, AbortSignal.timeout(10_000)).finally(() => out.end())
    return text
  }

  /** What a script writes that runs to its end. */
  async output(uid: string, script: string, more: Partial<ContainerSpec> = {}, sandbox: Partial<SandboxSpec> = {}): Promise<string> {
    await this.run(uid, script, more, sandbox)
    await this.ended(uid, more.name)
    return (await this.logs(uid, {}, more.name)).trim()
  }

  async exec(uid: string, script: string, name = 'main'): Promise<{ code: number; out: string }> {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const text = Promise.all([collect(stdout), collect(stderr)])
    const command = ['sh', '-c', script]
    const code = await this.runtime.exec({ sandbox: uid, name }, command, { stdout, stderr, tty: false }, AbortSignal.timeout(10_000))
    return { code, out: (await text).join('').trim() }
  }

  async clear(): Promise<void> {
    for (const { uid } of await this.runtime.list()) await this.runtime.removeSandbox(uid)
  }
}

export async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += chunk.toString()
  return text
}
