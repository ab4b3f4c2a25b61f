import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Clock,
  createHost,
  Event,
  type Host,
  type Inherited,
  memoryStore,
  type ObjectClient,
  ObjectClientCap,
  systemClock,
} from '@continuo/core'
import { createVirtualClock, type SimulatedProgram, SimulatedRuntime, type VirtualClock } from '@continuo/testkit'
import { NodeDialerCap, NodeUplinkCap, Pod, workloadKinds } from '@continuo/workload'
import { nodeAgent, nodeConnections } from '../../src/index.ts'
import { FakeProbes, FakeVolumes, runtimePlugin } from './fake-plugins.ts'
import { type Fault, flakyClient } from './flaky-client.ts'

export interface BenchOptions {
  readonly programs?: Readonly<Record<string, SimulatedProgram>>
  readonly missingImages?: ReadonlySet<string>
  readonly pullMs?: number
  readonly config?: Record<string, unknown>
  /** Reads and writes of files take real time: with pods that have volumes, virtual time waits for them. */
  readonly files?: boolean
  /** Sees the runtime before the agent starts. */
  readonly prepare?: (runtime: SimulatedRuntime) => void
}

type Spec = NonNullable<Pod['spec']>

/** A control plane over the memory store and one agent with simulated containers, on virtual time. */
export class Bench implements AsyncDisposable {
  readonly clock: VirtualClock
  readonly client: ObjectClient
  readonly runtime: SimulatedRuntime
  readonly probes = new FakeProbes()
  readonly volumes = new FakeVolumes()
  readonly directory: string
  /** Requests of the agent that fail. */
  fault: Fault = { fails: () => false }
  readonly #control: Host
  readonly #options: BenchOptions
  #agent: Host | undefined

  private constructor(clock: VirtualClock, control: Host, directory: string, options: BenchOptions) {
    this.clock = clock
    this.#control = control
    this.client = control.use(ObjectClientCap)
    this.directory = directory
    this.#options = options
    const { programs, missingImages, pullMs } = options
    this.runtime = new SimulatedRuntime({ clock, programs, missingImages, pullMs })
  }

  static async start(options: BenchOptions = {}): Promise<Bench> {
    const clock = createVirtualClock()
    const control = await startControlPlane(clock)
    const bench = new Bench(clock, control, await mkdtemp(join(tmpdir(), 'continuo-agent-')), options)
    options.prepare?.(bench.runtime)
    await bench.startAgent()
    return bench
  }

  async startAgent(): Promise<void> {
    const inherit: readonly Inherited[] = [
      [ObjectClientCap, flakyClient(this.client, { fails: (request) => this.fault.fails(request) })],
      [NodeUplinkCap, this.#control.use(NodeUplinkCap)],
    ]
    this.#agent = createHost({
      name: 'n1',
      role: 'node',
      clock: this.clock,
      inherit,
      plugins: [
        { slot: 'runtime', plugin: runtimePlugin(this.runtime) },
        { slot: 'probes', plugin: this.probes.plugin },
        { slot: 'volumes', plugin: this.volumes.plugin },
        {
          slot: 'agent',
          plugin: nodeAgent,
          config: {
            nodeName: 'n1',
            address: '192.0.2.1',
            directory: this.directory,
            capacity: { cpu: '4', memory: '8Gi' },
            ...this.#options.config,
          },
        },
      ],
    })
    const started = this.#agent.start()
    let done = false
    const settled = (): void => {
      done = true
    }
    started.then(settled, settled)
    // Starting reads files, which takes real time; virtual time moves only when that does not help.
    for (let turn = 1; !done; turn++) {
      await systemClock.sleep(1)
      if (turn % 200 === 0) await this.clock.advance(1_000)
    }
    await started
  }

  /** Containers run on, as when the process is killed. */
  async stopAgent(): Promise<void> {
    const agent = this.#agent
    this.#agent = undefined
    await agent?.stop()
  }

  /** Makes a pod that is bound to the node. Without containers in `spec` it has one, `main`, of the image `app`. */
  create(name: string, spec: Partial<Spec> = {}, metadata: Partial<Pod['metadata']> = {}): Promise<Pod> {
    return this.client.for(Pod).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', ...metadata },
      spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'app' }], ...spec },
    })
  }

  get(name: string): Promise<Pod> {
    return this.client.for(Pod).get({ namespace: 'default', name })
  }

  delete(name: string, gracePeriodSeconds?: number): Promise<Pod> {
    return this.client.for(Pod).delete({ namespace: 'default', name }, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds })
  }

  async exists(name: string): Promise<boolean> {
    return (await this.client.for(Pod).list({ namespace: 'default' })).items.some((pod) => pod.metadata.name === name)
  }

  advanceUntil(condition: () => boolean | Promise<boolean>, limitMs?: number): Promise<void> {
    return this.clock.advanceUntil(async () => {
      if (this.#options.files === true) await systemClock.sleep(5)
      return condition()
    }, limitMs)
  }

  /** Moves time on until the pod is as wanted, and resolves with it. */
  async until(name: string, wanted: (pod: Pod) => boolean, limitMs = 120_000): Promise<Pod> {
    await this.advanceUntil(async () => wanted(await this.get(name)), limitMs)
    return this.get(name)
  }

  running(name: string): Promise<Pod> {
    return this.until(name, (pod) => pod.status?.phase === 'Running' && isReady(pod))
  }

  gone(name: string, limitMs = 120_000): Promise<void> {
    return this.advanceUntil(async () => !(await this.exists(name)), limitMs)
  }

  /** Attempts of a container that the runtime has, oldest first. */
  async attempts(name: string, container = 'main') {
    const sandbox = (await this.runtime.list()).find((other) => other.name === name)
    return (sandbox?.containers ?? []).filter((other) => other.name === container).sort((a, b) => a.attempt - b.attempt)
  }

  /** `Reason: message` of the events about a pod, in the order in which they first happened. */
  async events(name: string): Promise<readonly string[]> {
    await this.clock.settle()
    const list = await this.client.for(Event).list({ namespace: 'default' })
    return list.items
      .filter((event) => (event as unknown as { involvedObject: { name: string } }).involvedObject.name === name)
      .map((event) => event as unknown as { reason: string; message: string })
      .map(({ reason, message }) => `${reason}: ${message}`)
  }

  dial() {
    return this.#control.use(NodeDialerCap).dial('n1', AbortSignal.timeout(5_000))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAgent()
    await this.#control.stop()
    await rm(this.directory, { recursive: true, force: true })
  }
}

export const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false

/** The main container's part of a status. */
export const statusOf = (pod: Pod, name = 'main') =>
  [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.ephemeralContainerStatuses ?? []),
  ].find((status) => status.name === name)

async function startControlPlane(clock: Clock): Promise<Host> {
  const host = createHost({
    name: 'control',
    role: 'control-plane',
    leaderElection: false,
    clock,
    plugins: [
      { slot: 'store', plugin: memoryStore },
      { slot: 'kinds', plugin: workloadKinds },
      { slot: 'connections', plugin: nodeConnections },
    ],
  })
  await host.start()
  return host
}
