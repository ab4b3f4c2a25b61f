import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  ApiError,
  type Caller,
  type Clock,
  type Health,
  isApiError,
  type Log,
  type Metrics,
  type ObjectService,
  type Random,
  type ServedResource,
} from '@continuo/core'
import {
  type ApiDelegate,
  type ApiRoute,
  type AuditTrail,
  type ConnectHandler,
  type FlowController,
  type FlowPlace,
  parseProxiedName,
  type UpgradeRoute,
} from '@continuo/workload'
import { Gate, type GateOptions } from '../access/gate.ts'
import { WatchRights } from '../access/watch-rights.ts'
import { type FindTarget, forward, forwardUpgrade } from '../connect/forward.ts'
import { type ConnectContext, runConnect, runUpgrade } from '../connect/run-connect.ts'
import { Discovery } from '../discovery/discovery.ts'
import { answerHealth, isHealthPath } from '../health/health-endpoints.ts'
import { versionInfo } from '../health/version.ts'
import { OpenApi, type OpenApiOptions } from '../openapi/open-api.ts'
import { verbOf } from '../request/attributes.ts'
import { Negotiator, type Wanted } from '../request/negotiate.ts'
import { type PlainPath, parsePath, type RequestPath, type ResourcePath } from '../request/path.ts'
import { readGetOptions, readListOptions } from '../request/query-options.ts'
import type { Decoding } from '../resources/body-decoder.ts'
import { methodNotAllowed, notFound, type Operation, operationOf } from '../resources/operation.ts'
import { type Presentation, sendList, sendObject } from '../resources/present.ts'
import { answersInProtobuf } from '../resources/protobuf.ts'
import { runWatch, type WatchContext } from '../resources/watch.ts'
import { runWatchSocket } from '../resources/watch-socket.ts'
import { runWrite } from '../resources/write.ts'
import { asApiError, jsonForm, sendBytes, sendError, sendJson } from './answer.ts'
import { BlockPool } from './blocks.ts'
import type { BodyLimits } from './body.ts'
import type { Exchange } from './exchange.ts'
import { type FlowClass, FlowControl, type FlowLimits } from './flow-control.ts'
import { type RequestMetrics, requestMetrics } from './request-metrics.ts'

export interface ApiServerOptions extends GateOptions {
  readonly service: ObjectService
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  readonly health: Health
  readonly connectHandlers: { get(key: string): ConnectHandler | undefined }
  readonly routes: { get(path: string): ApiRoute | undefined }
  readonly upgradeRoutes: { get(key: string): UpgradeRoute | undefined }
  /** What holds without a flow controller; of watches and streams, always. */
  readonly flow: FlowLimits
  readonly flowControl?: FlowController
  /** Other servers that answer some group versions. */
  readonly delegate?: ApiDelegate
  readonly body: BodyLimits
  readonly decoding: Decoding
  readonly openApi: OpenApiOptions
  /** Shortest time after which a watch without a timeout of its own is ended; the longest is twice that. */
  readonly watchTimeoutSeconds: number
  /** `host:port` for the legacy discovery document. */
  readonly address: () => string
  /** Aborts when the server stops: watches and streams end then. */
  readonly stopping: AbortSignal
}

interface GroupVersion {
  readonly group: string
  readonly version: string
}

/** A request for a resource that is served, after the gate. */
interface ResourceRequest {
  readonly exchange: Exchange
  readonly path: ResourcePath
  readonly served: ServedResource
  readonly operation: Operation
  readonly caller: Caller
}

const leaseGroup = 'coordination.k8s.io'
const longestLingerMs = 2_000

const shuttingDown = (): ApiError =>
  new ApiError('ServiceUnavailable', 'the server is shutting down, please try again later', { retryAfterSeconds: 1 })

/** Answers requests in this order: authenticate, classify, authorise, flow control, and only then the body. */
export class ApiServer {
  readonly #options: ApiServerOptions
  readonly #gate: Gate
  readonly #flow: FlowControl
  readonly #watchRights: WatchRights
  readonly #negotiator = new Negotiator()
  readonly #blocks = new BlockPool()
  readonly #discovery: Discovery
  readonly #openApi: OpenApi
  readonly #metrics: RequestMetrics
  readonly #startedAt: string

  constructor(options: ApiServerOptions) {
    this.#options = options
    this.#gate = new Gate(options)
    this.#watchRights = new WatchRights(options.clock)
    this.#flow = new FlowControl(options.flow)
    this.#discovery = new Discovery(options.service.registry, options.address, options.delegate)
    this.#openApi = new OpenApi(options.service.registry, { ...options.openApi, delegate: options.delegate })
    this.#metrics = requestMetrics(options.metrics)
    this.#startedAt = `${new Date(options.clock.now()).toISOString().slice(0, 19)}Z`
  }

  /** Answers a request; every fault becomes a Status. */
  async handle(exchange: Exchange): Promise<void> {
    const { clock, log } = this.#options
    const began = clock.monotonic()
    let verb = exchange.method.toLowerCase()
    let resource = ''
    let isPanic = false
    try {
      const path = parsePath(exchange.rawPath)
      verb = verbOf(exchange.method, path, exchange.query)
      const served = path.isResource ? this.#options.service.registry.resolve(path) : undefined
      // Labels of metrics are bounded by what is served, not by what clients ask for.
      if (path.isResource) resource = served === undefined ? 'unknown' : path.resource
      const admitted = this.#gate.admit(exchange, path, verb)
      const caller = admitted instanceof Promise ? await admitted : admitted
      if (this.#options.stopping.aborted && (path.isResource || !isHealthPath(path.segments))) throw shuttingDown()
      const delegated = this.#delegatedBy(path)
      if (delegated !== undefined) await this.#delegate(exchange, path, verb, caller, delegated)
      else if (path.isResource) await this.#inTurn(requestOf(exchange, path, served, verb, caller))
      else await this.#seated(exchange, path, verb, caller, () => this.#plain(exchange, path, caller))
    } catch (error) {
      isPanic = !isApiError(error)
      sendError(exchange, asApiError(error, log, `${exchange.method} ${exchange.rawPath}`))
    } finally {
      if (exchange.audit !== undefined) endAudit(exchange.audit, exchange.response.statusCode, isPanic)
      this.#metrics.observe(verb, resource, exchange.response.statusCode, (clock.monotonic() - began) / 1000)
    }
  }

  /** Carries an HTTP/1.1 upgrade (exec, attach, port-forward, proxied WebSockets) through the same gate. Never throws. */
  async upgrade(exchange: Exchange, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    let code = 101
    try {
      const path = parsePath(exchange.rawPath)
      const verb = verbOf(exchange.method, path, exchange.query)
      const caller = await this.#gate.admit(exchange, path, verb)
      exchange.audit?.started(code)
      const delegated = this.#delegatedBy(path)
      if (delegated !== undefined) {
        const target = this.#delegateTarget(exchange, caller, delegated)
        return await this.#holding('long-running', () => forwardUpgrade(request, socket, head, this.#options.stopping, target))
      }
      if (!path.isResource) {
        const route = this.#options.upgradeRoutes.get(path.segments[0] ?? '')
        if (route === undefined) throw notFound()
        const { query = new URLSearchParams(), rawPath } = exchange
        return await this.#holding('long-running', () =>
          route.accept({ path: rawPath, query, headers: request.headers, caller, socket, head, signal: this.#options.stopping }),
        )
      }
      const connect = requestOf(exchange, path, this.#options.service.registry.resolve(path), verb, caller)
      if (connect.operation.type === 'watch' && request.headers.upgrade?.toLowerCase() === 'websocket') {
        const watch = this.#watchContext(connect)
        const ref = refOf(path, connect.served.definition.namespaced)
        return await this.#holding('long-running', () =>
          runWatchSocket(watch, this.#options.service, ref, this.#watchTimeout(), caller, { request, socket, head }),
        )
      }
      if (connect.operation.type !== 'connect')
        throw new ApiError('BadRequest', 'the resource does not support upgrades to other protocols')
      await this.#holding('long-running', () => runUpgrade(this.#connectContext(connect), request, socket, head))
    } catch (error) {
      const fault = asApiError(error, this.#options.log, `upgrade ${exchange.rawPath}`)
      code = fault.status
      exchange.audit?.failed({ status: 'Failure', reason: fault.reason, message: fault.message, code })
      const body = `${JSON.stringify(fault.toStatus())}\n`
      socket.on('error', () => {})
      socket.end(
        `HTTP/1.1 ${fault.status} ${fault.reason}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
    } finally {
      exchange.audit?.end(code)
    }
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
    return verb === 'watch' ? this.#holding('long-running', run) : this.#seated(exchange, path, verb, caller, run)
  }

  /** Runs with one of the places of a class of requests. Throws 429 when there is none. */
  async #holding(flow: FlowClass, run: () => Promise<void>): Promise<void> {
    try {
      this.#flow.enter(flow)
    } catch (error) {
      this.#metrics.refused(flow)
      throw error
    }
    const tell = (): void => {
      if (flow === 'long-running') this.#metrics.longRunning(this.#flow.inFlight['long-running'])
    }
    tell()
    try {
      await run()
    } finally {
      this.#flow.leave(flow)
      tell()
    }
  }

  /** Runs on a seat of the flow controller, if there is one. Without a promise of its own where a seat is free. */
  #seated(exchange: Exchange, path: RequestPath, verb: string, caller: Caller, run: () => Promise<void>): Promise<void> {
    const { flowControl } = this.#options
    if (flowControl === undefined) return run()
    const place = flowControl.enter(caller.user, verb, path, exchange)
    return place instanceof Promise ? place.then((late) => runOn(late, exchange, run)) : runOn(place, exchange, run)
  }

  #inTurn(request: ResourceRequest): Promise<void> {
    const { operation, path, exchange, caller } = request
    const run = () => this.#run(request)
    if (this.#options.flowControl !== undefined && operation.type !== 'connect') {
      const seated = () => this.#seated(exchange, path, operation.type, caller, run)
      return operation.type === 'watch' ? this.#holding('long-running', seated) : seated()
    }
    const isLong = operation.type === 'watch' || operation.type === 'connect'
    const isRead = operation.type === 'get' || operation.type === 'list'
    return this.#holding(isLong ? 'long-running' : path.group === leaseGroup ? 'exempt' : isRead ? 'read' : 'write', run)
  }

  async #run(request: ResourceRequest): Promise<void> {
    const { exchange, path, served, operation, caller } = request
    const { service, clock, body, decoding } = this.#options
    if (operation.type === 'connect') return runConnect(this.#connectContext(request))
    const wanted = this.#wantedBy(request)
    const presentation: Presentation = { exchange, served, wanted, clock, blocks: this.#blocks, subresource: operation.subresource }
    const ref = refOf(path, served.definition.namespaced)
    const { version } = served
    if (version.deprecated === true) exchange.warn(version.deprecationWarning ?? `${served.apiVersion} ${served.gvk.kind} is deprecated`)
    switch (operation.type) {
      case 'get':
        return sendObject(presentation, await service.get(ref, readGetOptions(exchange.query), caller))
      case 'list': {
        const list = await service.list(ref, readListOptions(exchange.query, exchange.signal), caller)
        exchange.place?.listed(list.items.length + (list.remainingItemCount ?? 0))
        return sendList(presentation, list)
      }
      case 'watch':
        return runWatch(this.#watchContext(request), service, ref, this.#watchTimeout(), caller)
      default:
        return runWrite({ ...presentation, service, limits: body, decoding, ref, caller, operation })
    }
  }

  #wantedBy({ exchange, served, operation: { type, subresource } }: ResourceRequest): Wanted {
    const shape = type === 'list' || type === 'deletecollection' ? 'list' : type === 'watch' ? 'watch' : 'object'
    return this.#negotiator.choose(exchange.header('accept'), shape, () => answersInProtobuf(served, subresource))
  }

  #watchContext(request: ResourceRequest): WatchContext {
    const { exchange, served, path, caller } = request
    const { clock, log, stopping } = this.#options
    const ask = () => this.#gate.readmit(caller.user, exchange, path, 'watch')
    const whileAllowed: WatchContext['whileAllowed'] = (revoked) => this.#watchRights.hold(ask, revoked)
    const lingerMs = () => this.#lingerMs()
    return { exchange, served, wanted: this.#wantedBy(request), clock, log, stopping, lingerMs, whileAllowed }
  }

  /** Watches end over a time that grows with their number, a millisecond for each. */
  #lingerMs(): number {
    return Math.min(longestLingerMs, this.#flow.inFlight['long-running']) * this.#options.random.next()
  }

  /** Ends the watches whose users may no longer watch. To be called from time to time. */
  recheckWatches(): Promise<void> {
    return this.#watchRights.recheck()
  }

  /** Spread out, so that watches which began together do not end together. */
  #watchTimeout(): number {
    return Math.round(this.#options.watchTimeoutSeconds * (1 + this.#options.random.next()))
  }

  #connectContext({ exchange, path, served, operation, caller }: ResourceRequest): ConnectContext {
    const { service, connectHandlers, log, stopping } = this.#options
    const key = `${path.group}/${path.resource}/${operation.subresource?.name ?? ''}`
    const asked = path.name
    const name = operation.subresource?.name === 'proxy' ? parseProxiedName(asked).name : asked
    const handler = connectHandlers.get(key)
    if (handler === undefined) throw new ApiError('ServiceUnavailable', `nothing in this server connects ${key}`)
    const kind = operation.subresource?.kind
    return {
      exchange,
      ref: { ...refOf(path, served.definition.namespaced), name },
      asked,
      rest: path.rest,
      caller,
      service,
      handler,
      log,
      stopping,
      ...(kind === undefined || kind.kind === served.gvk.kind ? {} : { kind }),
    }
  }

  async #plain(exchange: Exchange, path: PlainPath, caller: Caller): Promise<void> {
    const { segments } = path
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') {
      if (isHealthPath(segments) || Discovery.owns(segments) || segments[0] === 'version' || segments[0] === 'openapi')
        throw methodNotAllowed()
      throw notFound()
    }
    if (isHealthPath(segments)) return answerHealth(exchange, segments, this.#options.health)
    if (Discovery.owns(segments)) return this.#discovery.answer(exchange, segments)
    if (segments[0] === 'openapi') return this.#openApi.answer(exchange, segments)
    if (segments.length === 1 && segments[0] === 'version') return sendJson(exchange, 200, jsonForm, versionInfo(this.#startedAt))
    if (segments.length === 1 && segments[0] === 'metrics') {
      return sendBytes(exchange, 200, 'text/plain; version=0.0.4; charset=utf-8', Buffer.from(await this.#options.metrics.expose()))
    }
    if (segments.length === 0)
      return sendJson(exchange, 200, jsonForm, {
        paths: ['/api', '/apis', '/healthz', '/livez', '/metrics', '/openapi/v2', '/openapi/v3', '/readyz', '/version'],
      })
    const route = this.#options.routes.get(segments.join('/'))
    if (route === undefined) throw notFound()
    const { status = 200, type = jsonForm.mediaType, body } = await route.get({ query: exchange.query ?? new URLSearchParams(), caller })
    sendBytes(exchange, status, type, typeof body === 'string' ? Buffer.from(body) : body)
  }
}

/** Whatever becomes of it, the seat is given back. */
async function runOn(place: FlowPlace, exchange: Exchange, run: () => Promise<void>): Promise<void> {
  exchange.place = place
  try {
    await run()
  } finally {
    place.leave()
  }
}

/** The last that is told of a request. */
const endAudit = (audit: AuditTrail, code: number, isPanic: boolean): void => (isPanic ? audit.panicked() : audit.end(code))

/** The object or collection that a path means. The namespace of a cluster-scoped object is empty, also of a namespace itself. */
const refOf = (path: ResourcePath, namespaced: boolean) => ({
  group: path.group,
  version: path.version,
  resource: path.resource,
  namespace: namespaced ? path.namespace : '',
  name: path.name,
  ...(path.subresource === '' ? {} : { subresource: path.subresource }),
})

/** Throws 404 for a resource that is not served, and what {@link operationOf} throws. */
function requestOf(
  exchange: Exchange,
  path: ResourcePath,
  served: ServedResource | undefined,
  verb: string,
  caller: Caller,
): ResourceRequest {
  if (served === undefined) throw notFound()
  return { exchange, path, served, operation: operationOf(served, path, exchange.method, verb), caller }
}
