import { isContinuoError, type Log } from '@continuo/core'
import type { FlowTarget } from './flows.ts'
import { forgetFlows } from './forget-flows.ts'

/** Targets by protocol and by family of addresses. */
export type FlowTargets = Readonly<Record<'UDP' | 'SCTP', Readonly<Record<'ip' | 'ip6', readonly FlowTarget[]>>>>

/** Ends stale flows for as long as the program `conntrack` is there; without it, says so once. */
export class FlowKeeper {
  readonly #command: string
  readonly #log: Log
  #missing = false

  constructor(command: string, log: Log) {
    this.#command = command
    this.#log = log
  }

  /** Never throws: rules are in place, and what is left of flows ends by itself. */
  async forget(targets: FlowTargets): Promise<void> {
    if (this.#missing) return
    try {
      for (const protocol of ['UDP', 'SCTP'] as const)
        for (const family of ['ip', 'ip6'] as const)
          await forgetFlows(targets[protocol][family], {
            protocol: protocol === 'UDP' ? 'udp' : 'sctp',
            family: family === 'ip' ? 'ipv4' : 'ipv6',
            command: this.#command,
          })
    } catch (error) {
      this.#missing = isContinuoError(error) && error.code === 'NETFILTER_TOOL_MISSING'
      this.#log.warn({ error }, 'flows of datagrams to endpoints that are gone cannot be ended; each goes on until its client pauses')
    }
  }
}
