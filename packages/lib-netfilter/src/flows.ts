/** One connection of the kernel's table, as it began and as its answers come: they differ where addresses were translated. */
export interface Flow {
  readonly destination: string
  readonly port: number
  /** Where answers come from: the endpoint that the flow was led to. */
  readonly repliesFrom: string
  readonly repliesFromPort: number
}

/** The lines of `conntrack -L`. What is no flow with ports is passed over. */
export function parseFlows(listing: string): readonly Flow[] {
  return listing.split('\n').flatMap((line) => {
    const [begun, answered] = [...line.matchAll(/src=(\S+) dst=(\S+) sport=([0-9]+) dport=([0-9]+)/g)]
    if (begun === undefined || answered === undefined) return []
    return [
      {
        destination: begun[2] as string,
        port: Number(begun[4]),
        repliesFrom: answered[1] as string,
        repliesFromPort: Number(answered[3]),
      },
    ]
  })
}

/** An address of a service and what may answer for it. */
export interface FlowTarget {
  /** Absent: every address of this machine, on this port. */
  readonly ip?: string
  readonly port: number
  /** `ip port` of each endpoint. */
  readonly endpoints: ReadonlySet<string>
}

/**
 * Flows to these addresses that lead to what may not answer for them any more, or to nothing because they are older than the service: each kind once.
 * `own` are addresses of this machine. A client that keeps sending from one port would stay on it for as long as it sends. Pure.
 */
export function staleFlows(flows: readonly Flow[], targets: readonly FlowTarget[], own: ReadonlySet<string>): readonly Flow[] {
  const byAddress = new Map(targets.map((target) => [`${target.ip ?? '*'} ${target.port}`, target]))
  const stale = new Map<string, Flow>()
  for (const flow of flows) {
    // What passes through to the same port of another machine is not translated, and none of its business.
    const here = own.has(flow.destination) || flow.repliesFrom !== flow.destination
    const target = byAddress.get(`${flow.destination} ${flow.port}`) ?? (here ? byAddress.get(`* ${flow.port}`) : undefined)
    if (target === undefined || target.endpoints.has(`${flow.repliesFrom} ${flow.repliesFromPort}`)) continue
    stale.set(`${flow.destination} ${flow.port} ${flow.repliesFrom} ${flow.repliesFromPort}`, flow)
  }
  return [...stale.values()]
}
