import type { ProbeTarget, RuntimeContainer } from '@continuo/workload'
import { CollectedOutput } from './collected-output.ts'
import { attemptsOf, containersOf, type PodContainer, type PodView, type ProbeState } from './model.ts'
import { containerTarget } from './pod-events.ts'
import { ProbeRunner } from './probe-runner.ts'
import { statusOf } from './status.ts'
import type { WorkerShared } from './worker-shared.ts'

/** Most of a command's output that a probe keeps. */
const maxOutputBytes = 10_240

/** The probes of one pod: one runner for each running attempt. */
export class PodProbes {
  readonly #uid: string
  readonly #shared: WorkerShared
  readonly #changed: () => void
  readonly #runners = new Map<string, { readonly attempt: number; readonly runner: ProbeRunner }>()

  constructor(uid: string, shared: WorkerShared, changed: () => void) {
    this.#uid = uid
    this.#shared = shared
    this.#changed = changed
  }

  states(): ReadonlyMap<string, ProbeState> {
    return new Map([...this.#runners].map(([name, { runner }]): [string, ProbeState] => [name, runner.state]))
  }

  /** Starts probes of new attempts and ends those of old ones. */
  follow(pod: PodView): void {
    const sandbox = this.#shared.view.get(this.#uid)
    for (const container of containersOf(pod)) {
      const { name } = container.spec
      const latest = attemptsOf(sandbox, name)[0]
      const known = this.#runners.get(name)
      if (known !== undefined && (latest?.attempt !== known.attempt || latest.state !== 'running')) {
        known.runner.stop()
        this.#runners.delete(name)
      }
      if (latest?.state === 'running' && !this.#runners.has(name) && (container.kind === 'main' || container.sidecar))
        this.#start(pod, container, latest)
    }
  }

  /** No probe may end a container any more; what they have found stays. */
  stopAll(): void {
    for (const { runner } of this.#runners.values()) runner.stop()
  }

  stop(name: string): void {
    this.#runners.get(name)?.runner.stop()
  }

  clear(): void {
    this.stopAll()
    this.#runners.clear()
  }

  #start(pod: PodView, container: PodContainer, latest: RuntimeContainer): void {
    const { clock, events, prober } = this.#shared
    const status = statusOf(pod, container.spec.name)
    const adopted = status?.containerID === latest.id && status.state?.running !== undefined
    const runner = new ProbeRunner({
      container: container.spec,
      clock,
      target: this.#target(pod, container),
      prober: (handler) => prober.call(this.#shared, handler),
      before: adopted ? { started: status.started ?? false, ready: status.ready } : undefined,
      startedAt: latest.startedAt ?? clock.now(),
      changed: this.#changed,
      failed: (probe, message) =>
        events.event(
          containerTarget(pod, container),
          'Warning',
          'Unhealthy',
          `${probe[0]?.toUpperCase()}${probe.slice(1)} probe failed: ${message}`,
        ),
    })
    this.#runners.set(container.spec.name, { attempt: latest.attempt, runner })
    runner.start()
  }

  #target(pod: PodView, container: PodContainer): ProbeTarget {
    const { view, nodeIPs, runtime } = this.#shared
    const ips = pod.spec?.hostNetwork === true ? nodeIPs.call(this.#shared) : (view.get(this.#uid)?.ips ?? [])
    return {
      podIP: ips[0] ?? '127.0.0.1',
      handler: {},
      port: (port) =>
        typeof port === 'number' || /^\d+$/.test(port)
          ? Number(port)
          : container.spec.ports?.find((other) => other.name === port)?.containerPort,
      exec: async (command, signal) => {
        const output = new CollectedOutput(maxOutputBytes)
        const exitCode = await runtime.exec(
          { sandbox: this.#uid, name: container.spec.name },
          command,
          { stdout: output.stream(), stderr: output.stream(), tty: false },
          signal,
        )
        return { exitCode, output: output.text }
      },
    }
  }
}
