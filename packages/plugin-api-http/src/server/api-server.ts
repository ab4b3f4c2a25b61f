import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { ApiError, type Caller, isApiError } from '@continuo/core'
import type { ApiDelegate, AuditTrail, UpgradeRoute } from '@continuo/workload'
import { Gate, type GateOptions } from '../access/gate.ts'
import { type FindTarget, forward, forwardUpgrade } from '../connect/forward.ts'
import { isHealthPath } from '../health/health-endpoints.ts'
import { verbOf } from '../request/attributes.ts'
import { parsePath, type RequestPath } from '../request/path.ts'
import { notFound } from '../resources/operation.ts'
import { ResourceRequests, type ResourceRequestsOptions, requestOf } from '../resources/resource-requests.ts'
import { asApiError, sendError } from './answer.ts'
import type { Exchange } from './exchange.ts'
import { Places, type PlacesOptions } from './places.ts'
import { PlainPaths, type PlainPathsOptions } from './plain-paths.ts'
import { type RequestMetrics, requestMetrics } from './request-metrics.ts'

export interface ApiServerOptions extends GateOptions, PlacesOptions, PlainPathsOptions, ResourceRequestsOptions {
  readonly upgradeRoutes: { get(key: string): UpgradeRoute | undefined }
}

interface GroupVersion {
  readonly group: string
  readonly version: string
}

const shuttingDown = (): ApiError =>
  new ApiError('ServiceUnavailable', 'the server is shutting down, please try again later', { retryAfterSeconds: 1 })

/** Answers requests in this order: authenticate, classify, authorise, flow control, and only then the body. */
export class ApiServer {
  readonly #options: ApiServerOptions
  readonly #gate: Gate
  readonly #places: Places
  readonly #plainPaths: PlainPaths
  readonly #resources: ResourceRequests
  readonly #metrics: RequestMetrics

  constructor(options: ApiServerOptions) {
    this.#options = options
    this.#gate = new Gate(options)
    this.#metrics = requestMetrics(options.metrics)
    const places = new Places(options, this.#metrics)
    this.#places = places
    this.#plainPaths = new PlainPaths(options)
    this.#resources = new ResourceRequests(options, this.#gate, () => places.lingerMs())
  }

  /** Answers a request; every fault becomes a Status. */
  async handle(exchange: Exchange): Promise<void> {
    const { clock, log, service, stopping } = this.#options
    const began = clock.monotonic()
    let verb = exchange.method.toLowerCase()
    let resource = ''
    let isPanic = false
    try {
      const path = this.#pathOf(exchange)
      verb = verbOf(exchange.method, path, exchange.query)
      const served = path.isResource ? service.registry.resolve(path) : undefined
      // Labels of metrics are bounded by what is served, not by what clients ask for.
      if (path.isResource) resource = served === undefined ? 'unknown' : path.resource
      const admitted = this.#gate.admit(exchange, path, verb)
      const caller = admitted instanceof Promise ? await admitted : admitted
      if (stopping.aborted && (path.isResource || !isHealthPath(path.segments))) throw shuttingDown()
      const delegated = this.#delegatedBy(path)
      if (delegated !== undefined) await this.#delegate(exchange, path, verb, caller, delegated)
      else if (path.isResource) {
        const request = requestOf(exchange, path, served, verb, caller)
        await this.#places.take(exchange, path, request.operation, caller, () => this.#resources.run(request))
      } else await this.#places.seated(exchange, path, verb, caller, () => this.#plainPaths.answer(exchange, path, caller))
    } catch (error) {
      isPanic = !isApiError(error)
      sendError(exchange, asApiError(error, log, `${exchange.method} ${exchange.rawPath}`))
    } finally {
      if (exchange.audit !== undefined) endAudit(exchange.audit, exchange.response.statusCode, isPanic)
      this.#metrics.observe(verb, resource, exchange.response.statusCode, (clock.monotonic() - began) / 1000)
    }
  }

  /** Throws 400, which the audit log is told. */
  #pathOf(exchange: Exchange): RequestPath {
    try {
      return parsePath(exchange.rawPath)
    } catch (error) {
      this.#gate.unreadable(exchange)
      throw error
    }
  }

  /** Carries an HTTP/1.1 upgrade (exec, attach, port-forward, proxied WebSockets) through the same gate. Never throws. */
  async upgrade(exchange: Exchange, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    let code = 101
    try {
      const path = this.#pathOf(exchange)
      const verb = verbOf(exchange.method, path, exchange.query)
      const caller = await this.#gate.admit(exchange, path, verb)
      exchange.audit?.started(code)
      await this.#places.longRunning(this.#upgradeOn(exchange, path, verb, caller, { request, socket, head }))
    } catch (error) {
      const fault = asApiError(error, this.#options.log, `upgrade ${exchange.rawPath}`)
      code = fault.status
      exchange.audit?.failed({ status: 'Failure', reason: fault.reason, message: fault.message, code })
      const body = `${JSON.stringify(fault.toStatus())}\n`
      const auditId = exchange.audit === undefined ? '' : `Audit-Id: ${exchange.audit.id}\r\n`
      socket.on('error', () => {})
      socket.end(
        `HTTP/1.1 ${fault.status} ${fault.reason}\r\n${auditId}Content-Type: application/json\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
    } finally {
      exchange.audit?.end(code)
    }
  }

  /** Who takes the connection over: another server, a plugin with a path of its own, or a resource. Throws 404. */
  #upgradeOn(
    exchange: Exchange,
    path: RequestPath,
    verb: string,
    caller: Caller,
    { request, socket, head }: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  ): () => Promise<void> {
    const { stopping: signal, upgradeRoutes, service } = this.#options
    const delegated = this.#delegatedBy(path)
    if (delegated !== undefined) {
      const target = this.#delegateTarget(exchange, caller, delegated)
      return () => forwardUpgrade(request, socket, head, signal, target)
    }
    if (path.isResource) {
      const resource = requestOf(exchange, path, service.registry.resolve(path), verb, caller)
      return () => this.#resources.upgrade(resource, request, socket, head)
    }
    const route = upgradeRoutes.get(path.segments[0] ?? '')
    if (route === undefined) throw notFound()
    const { query = new URLSearchParams(), rawPath } = exchange
    return () => route.accept({ path: rawPath, query, headers: request.headers, caller, socket, head, signal })
  }

  /** Ends the watches whose users may no longer watch. To be called from time to time. */
  recheckWatches(): Promise<void> {
    return this.#resources.recheckWatches()
  }

  /** The group version that another server answers, if one does: its resources and its discovery. Costs a request of our own two lookups. */
  #delegatedBy(path: RequestPath): GroupVersion | undefined {
    const { delegate } = this.#options
    if (delegate === undefined) return undefined
    if (path.isResource) return delegate.has(path.group, path.version) ? path : undefined
    const [root, group = '', version = ''] = path.segments
    return root === 'apis' && path.segments.length === 3 && delegate.has(group, version) ? { group, version } : undefined
  }

  #delegateTarget({ rawPath, query }: Exchange, caller: Caller, { group, version }: GroupVersion): FindTarget {
    const url = query === undefined ? rawPath : `${rawPath}?${query}`
    return () => (this.#options.delegate as ApiDelegate).target({ group, version, url, caller })
  }

  /** Sends a request to the server of its group version. A watch is one of the many that are open; everything else takes its turn. */
  #delegate(exchange: Exchange, path: RequestPath, verb: string, caller: Caller, to: GroupVersion): Promise<void> {
    const run = () => forward(exchange, this.#options.stopping, this.#delegateTarget(exchange, caller, to))
    return verb === 'watch' ? this.#places.longRunning(run) : this.#places.seated(exchange, path, verb, caller, run)
  }
}

/** The last that is told of a request. */
const endAudit = (audit: AuditTrail, code: number, isPanic: boolean): void => (isPanic ? audit.panicked() : audit.end(code))
