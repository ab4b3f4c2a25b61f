import { capability } from '@continuo/core'

/** Where and what to probe. `handler` is the part of the probe that names its type, such as the value of `httpGet`. */
export interface ProbeTarget {
  readonly podIP: string
  readonly handler: Readonly<Record<string, unknown>>
  /** Resolves a port's name in the container's ports. */
  port(port: number | string): number | undefined
  /** Runs a command in the probed container; resolves with its exit code and at most 10 KiB of output. */
  exec(command: readonly string[], signal: AbortSignal): Promise<{ readonly exitCode: number; readonly output: string }>
}

export interface ProbeResult {
  /** `unknown` counts neither as success nor as failure: the probe itself could not run. */
  readonly outcome: 'success' | 'failure' | 'unknown'
  /** What was seen, for events: `HTTP probe failed with statuscode: 503`. */
  readonly message: string
}

/** One way to probe, keyed by the field of the probe that asks for it: `httpGet`, `tcpSocket`, `exec`, `grpc`. */
export interface Prober {
  /** One attempt. Must give up when the signal aborts, which is when the probe's timeout has passed. Never throws. */
  run(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult>
}

export const ProberCap = capability<Prober, 'many'>('probe/v1', { cardinality: 'many' })
