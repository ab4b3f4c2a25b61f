import type { Socket } from 'node:net'
import type { Clock, Log } from '@continuo/core'
import type { ProxyProblem, ProxyResult, ProxyServicePort, ProxyState, ServiceProxy } from '@continuo/workload'
import { Balancer } from './choose.ts'
import { type ListenAddress, listenAddresses, listenProblem } from './listeners.ts'
import type { Listener, Route } from './route.ts'
import { listenTcp } from './tcp-listener.ts'
import { listenUdp } from './udp-listener.ts'

interface Programmed {
  readonly port: ProxyServicePort
  readonly listeners: Map<string, { readonly listener: Listener; readonly route: Route }>
  problem?: ProxyProblem
}

export interface UserspaceProxyOptions {
  readonly clock: Clock
  readonly log: Log
  /** Address on which node ports listen. */
  readonly nodePortAddress: string
}

/** Forwards in this process, without root: service addresses are loopback addresses on which it listens. */
export class UserspaceProxy implements ServiceProxy {
  readonly name = 'userspace'
  readonly #options: UserspaceProxyOptions
  readonly #programmed = new Map<string, Programmed>()
  readonly #connections = new Set<Socket>()

  constructor(options: UserspaceProxyOptions) {
    this.#options = options
  }

  async apply(update: { readonly state: ProxyState; readonly changed?: ReadonlySet<string> }): Promise<ProxyResult> {
    const { state } = update
    const ids = update.changed ?? new Set([...state.ports.keys(), ...this.#programmed.keys()])
    let changes = 0
    // Addresses are let go first, so that a service can take over another one's.
    for (const id of ids) changes += await this.#release(id, state.ports.get(id))
    // What was let go may be what others wait for.
    const waiting =
      changes === 0 ? [] : [...this.#programmed.values()].filter(({ problem }) => problem !== undefined).map(({ port }) => port.id)
    for (const id of new Set([...ids, ...waiting])) {
      const port = state.ports.get(id)
      if (port !== undefined) changes += await this.#program(port, state.nodeName)
    }
    return { changes, problems: [...this.#programmed.values()].flatMap((entry) => (entry.problem === undefined ? [] : [entry.problem])) }
  }

  async clear(): Promise<void> {
    for (const id of [...this.#programmed.keys()]) await this.#release(id, undefined)
    for (const socket of this.#connections) socket.destroy()
  }

  /** Closes listeners that the port does not need any more. */
  async #release(id: string, port: ProxyServicePort | undefined): Promise<number> {
    const entry = this.#programmed.get(id)
    if (entry === undefined) return 0
    const wanted = new Set(port === undefined ? [] : listenAddresses(port, this.#options.nodePortAddress).map((address) => address.key))
    let changes = 0
    for (const [key, { listener }] of entry.listeners) {
      if (wanted.has(key)) continue
      entry.listeners.delete(key)
      await listener.close()
      changes++
    }
    if (port === undefined) this.#programmed.delete(id)
    return changes
  }

  async #program(port: ProxyServicePort, nodeName: string): Promise<number> {
    const before = this.#programmed.get(port.id)
    if (before !== undefined && before.port === port && before.problem === undefined) return 0
    const entry: Programmed = { port, listeners: before?.listeners ?? new Map() }
    this.#programmed.set(port.id, entry)
    let changes = 0
    for (const address of listenAddresses(port, this.#options.nodePortAddress)) {
      const known = entry.listeners.get(address.key)
      if (known !== undefined) {
        if (!sameEndpoints(known.route.port, port)) changes++
        known.route.port = port
        known.route.nodeName = nodeName
        continue
      }
      const problem = await this.#listen(entry, address, nodeName)
      if (problem === undefined) changes++
      else entry.problem = problem
    }
    if (port.protocol === 'SCTP')
      entry.problem = {
        id: port.id,
        reason: 'ProtocolNotSupported',
        message: `port ${port.port} of service ${port.namespace}/${port.service}: SCTP cannot be forwarded in userspace; use a proxy plugin of the kernel`,
      }
    return changes
  }

  async #listen(entry: Programmed, address: ListenAddress, nodeName: string): Promise<ProxyProblem | undefined> {
    const { clock, log } = this.#options
    const route: Route = { port: entry.port, nodeName, external: address.external, balancer: new Balancer() }
    try {
      const listener =
        address.protocol === 'TCP' ? await listenTcp(address, route, clock, this.#connections) : await listenUdp(address, route, clock)
      entry.listeners.set(address.key, { listener, route })
      return undefined
    } catch (error) {
      const problem = listenProblem(address, error as NodeJS.ErrnoException)
      log.warn({ service: entry.port.id, reason: problem.reason }, problem.message)
      return { id: entry.port.id, ...problem }
    }
  }
}

const sameEndpoints = (a: ProxyServicePort, b: ProxyServicePort): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)
