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
  type UserInfo,
  type WatchCursor,
} from '@continuo/core'
import {
  type AccessAttributes,
  type Authenticator,
  type Authorizer,
  type ConnectHandler,
  continuoHeaders,
  parseFence,
} from '@continuo/workload'
import { authenticate } from '../access/authenticate.ts'
import { type AuthorizationMode, authorize } from '../access/authorize.ts'
import { clientCertificateOf } from '../access/client-certificate.ts'
import { impersonatedUser, impersonationAttributes } from '../access/impersonate.ts'
import { runConnect, runUpgrade } from '../connect/run-connect.ts'
import { Discovery } from '../discovery/discovery.ts'
import { answerHealth, isHealthPath } from '../health/health-endpoints.ts'
import { versionInfo } from '../health/version.ts'
import { OpenApi } from '../openapi/open-api.ts'
import { attributesOf, verbOf } from '../request/attributes.ts'
import { Negotiator } from '../request/negotiate.ts'
import { type PlainPath, parsePath, type RequestPath, type ResourcePath } from '../request/path.ts'
import { readGetOptions, readListOptions, readWatchOptions } from '../request/query-options.ts'
import type { Decoding } from '../resources/body-decoder.ts'
import { methodNotAllowed, notFound, type Operation, operationOf } from '../resources/operation.ts'
import { type Presentation, sendList, sendObject } from '../resources/present.ts'
import { errorLine, streamWatch } from '../resources/watch.ts'
import { runWrite } from '../resources/write.ts'
import { asApiError, beginAnswer, jsonForm, sendBytes, sendError, sendJson } from './answer.ts'
import type { BodyLimits } from './body.ts'
import type { Exchange } from './exchange.ts'
import { type FlowClass, FlowControl, type FlowLimits } from './flow-control.ts'
import { requestMetrics } from './request-metrics.ts'

type Keyed<T> = Iterable<readonly [string, T]>

export interface ApiServerOptions {
  readonly service: ObjectService
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  readonly health: Health
  readonly authenticators: Keyed<Authenticator>
  readonly authorizers: Keyed<Authorizer>
  readonly connectHandlers: { get(key: string): ConnectHandler | undefined }
  readonly authorization: AuthorizationMode
  readonly flow: FlowLimits
  readonly body: BodyLimits
  readonly decoding: Decoding
  readonly openApi: ConstructorParameters<typeof OpenApi>[1]
  /** Shortest time after which a watch without a timeout of its own is ended; the longest is twice that. */
  readonly watchTimeoutSeconds: number
  /** `host:port` for the legacy discovery document. */
  readonly address: () => string
  /** Aborts when the server stops: watches and streams end then. */
  readonly stopping: AbortSignal
}

/** A request after the gate: who asks, what for, and that it may. */
export interface Admitted {
  readonly path: RequestPath
  readonly verb: string
  readonly caller: Caller
}

const leaseGroup = 'coordination.k8s.io'

/** Answers requests in this order: authenticate, classify, authorise, flow control, and only then the body. */
export class ApiServer {
  readonly #options: ApiServerOptions
  readonly #flow: FlowControl
  readonly #negotiator = new Negotiator()
  readonly #discovery: Discovery
  readonly #openApi: OpenApi
  readonly #metrics
  readonly #startedAt: string

  constructor(options: ApiServerOptions) {
    this.#options = options
    this.#flow = new FlowControl(options.flow)
    this.#discovery = new Discovery(options.service.registry, options.address)
    this.#openApi = new OpenApi(options.service.registry, options.openApi)
    this.#metrics = requestMetrics(options.metrics)
    this.#startedAt = `${new Date(options.clock.now()).toISOString().slice(0, 19)}Z`
  }

  /** Answers a request; every fault becomes a Status. */
  async handle(exchange: Exchange): Promise<void> {
    const began = this.#options.clock.monotonic()
    let verb = exchange.method.toLowerCase()
    let resource = ''
    exchange.request.on('error', () => {})
    exchange.response.on('error', () => {})
    try {
      const path = parsePath(exchange.rawPath)
      verb = verbOf(exchange.method, path, exchange.query)
      if (path.isResource) resource = path.resource
      const pending = this.#admit(exchange, path, verb)
      const admitted = pending instanceof Promise ? await pending : pending
      await this.#inTurn(exchange, admitted)
    } catch (error) {
      sendError(exchange, asApiError(error, this.#options.log, `${exchange.method} ${exchange.rawPath}`))
    } finally {
      this.#metrics.observe(
        { verb, resource: this.#known(resource), code: exchange.response.statusCode },
        (this.#options.clock.monotonic() - began) / 1000,
      )
    }
  }

  /** Carries an HTTP/1.1 upgrade (exec, attach, port-forward, proxied WebSockets) through the same gate. Never throws. */
  async upgrade(exchange: Exchange, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    try {
      const path = parsePath(exchange.rawPath)
      const verb = verbOf(exchange.method, path, exchange.query)
      const admitted = await this.#admit(exchange, path, verb)
      if (!path.isResource) throw notFound()
      const operation = this.#operation(exchange, path, verb)
      if (operation.type !== 'connect') throw new ApiError('BadRequest', 'the resource does not support upgrades to other protocols')
      this.#enter('long-running')
      try {
        await runUpgrade(this.#connectContext(exchange, path, operation, admitted.caller), request, socket, head)
      } finally {
        this.#leave('long-running')
      }
    } catch (error) {
      const fault = asApiError(error, this.#options.log, `upgrade ${exchange.rawPath}`)
      const body = `${JSON.stringify(fault.toStatus())}\n`
      socket.end(
        `HTTP/1.1 ${fault.status} ${fault.reason}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
    }
  }

  /** Labels of metrics are bounded by what is served, not by what clients ask for. */
  #known(resource: string): string {
    if (resource === '') return ''
    return this.#options.service.registry.all().some((definition) => definition.plural === resource) ? resource : 'unknown'
  }

  #admit(exchange: Exchange, path: RequestPath, verb: string): Admitted | Promise<Admitted> {
    const { request } = exchange
    const user = authenticate(
      { headers: request.headers, certificate: clientCertificateOf(request), remoteAddress: request.socket?.remoteAddress ?? '' },
      this.#options.authenticators,
    )
    if (
      user instanceof Promise ||
      exchange.request.headers['impersonate-user'] !== undefined ||
      exchange.request.headers['impersonate-group'] !== undefined
    ) {
      return this.#admitSlowly(exchange, path, verb, user)
    }
    const allowed = authorize(
      attributesOf(user, verb, path, exchange.rawPath, exchange.query),
      this.#options.authorizers,
      this.#options.authorization,
    )
    const admitted = { path, verb, caller: this.#caller(exchange, user) }
    return allowed === undefined ? admitted : allowed.then(() => admitted)
  }

  async #admitSlowly(exchange: Exchange, path: RequestPath, verb: string, pending: UserInfo | Promise<UserInfo>): Promise<Admitted> {
    const { authorizers, authorization } = this.#options
    let user = await pending
    const wanted = impersonatedUser(exchange.request.headers)
    if (wanted !== undefined) {
      for (const question of impersonationAttributes(user, wanted)) await authorize(question, authorizers, authorization)
      user = wanted
    }
    const attributes: AccessAttributes = attributesOf(user, verb, path, exchange.rawPath, exchange.query)
    await authorize(attributes, authorizers, authorization)
    return { path, verb, caller: this.#caller(exchange, user) }
  }

  #caller(exchange: Exchange, user: UserInfo): Caller {
    const userAgent = exchange.header('user-agent')
    const fence = exchange.header(continuoHeaders.fence)
    const parsed = fence === undefined ? undefined : parseFence(fence)
    if (fence !== undefined && parsed === undefined) throw new ApiError('BadRequest', `the header ${continuoHeaders.fence} cannot be read`)
    return {
      user,
      trusted: false,
      fieldManager: userAgent === undefined ? 'unknown' : (userAgent.split('/', 1)[0] as string).slice(0, 128),
      ...(parsed === undefined ? {} : { fence: parsed }),
      cause: exchange.header(continuoHeaders.cause)?.slice(0, 128),
      warn: (text) => exchange.warn(text),
      userAgent,
    }
  }

  #operation(exchange: Exchange, path: ResourcePath, verb: string): Operation {
    const served = this.#options.service.registry.resolve({ group: path.group, version: path.version, resource: path.resource })
    if (served === undefined) throw notFound()
    return operationOf(served, path, exchange.method, verb)
  }

  #enter(flow: FlowClass): void {
    try {
      this.#flow.enter(flow)
    } catch (error) {
      this.#metrics.refused(flow)
      throw error
    }
    if (flow === 'long-running') this.#metrics.watches(this.#flow.inFlight['long-running'])
  }

  #leave(flow: FlowClass): void {
    this.#flow.leave(flow)
    if (flow === 'long-running') this.#metrics.watches(this.#flow.inFlight['long-running'])
  }

  async #inTurn(exchange: Exchange, admitted: Admitted): Promise<void> {
    const { path, verb } = admitted
    if (!path.isResource) return this.#plain(exchange, path)
    const operation = this.#operation(exchange, path, verb)
    const flow: FlowClass =
      operation.type === 'watch' || operation.type === 'connect'
        ? 'long-running'
        : path.group === leaseGroup
          ? 'exempt'
          : operation.type === 'get' || operation.type === 'list'
            ? 'read'
            : 'write'
    this.#enter(flow)
    try {
      await this.#run(exchange, path, operation, admitted.caller)
    } finally {
      this.#leave(flow)
    }
  }

  async #run(exchange: Exchange, path: ResourcePath, operation: Operation, caller: Caller): Promise<void> {
    const { service, clock, body, decoding } = this.#options
    const served = service.registry.resolve({ group: path.group, version: path.version, resource: path.resource })
    if (served === undefined) throw notFound()
    if (operation.type === 'connect') return runConnect(this.#connectContext(exchange, path, operation, caller))
    const shape =
      operation.type === 'list' || operation.type === 'deletecollection' ? 'list' : operation.type === 'watch' ? 'watch' : 'object'
    const wanted = this.#negotiator.choose(exchange.header('accept'), shape)
    const presentation: Presentation = { exchange, served, wanted, now: clock.now() }
    const ref = refOf(path, served.definition.namespaced)
    const { version } = served
    if (version.deprecated === true) exchange.warn(version.deprecationWarning ?? `${served.apiVersion} ${served.gvk.kind} is deprecated`)
    switch (operation.type) {
      case 'get':
        return sendObject(presentation, await service.get(ref, readGetOptions(exchange.query), caller))
      case 'list':
        return sendList(presentation, await service.list(ref, readListOptions(exchange.query, exchange.signal), caller))
      case 'watch':
        return this.#watch(exchange, path, presentation, ref, caller)
      default:
        return runWrite({ ...presentation, service, clock, limits: body, decoding, ref, caller, operation })
    }
  }

  async #watch(
    exchange: Exchange,
    path: ResourcePath,
    { served, wanted }: Presentation,
    ref: ReturnType<typeof refOf>,
    caller: Caller,
  ): Promise<void> {
    const { service, clock, log, stopping, random, watchTimeoutSeconds } = this.#options
    const query = exchange.query ?? new URLSearchParams()
    const read = readWatchOptions(query, Math.round(watchTimeoutSeconds * (1 + random.next())))
    const options =
      path.name === ''
        ? read
        : { ...read, fieldSelector: [read.fieldSelector, `metadata.name=${path.name}`].filter((term) => term !== undefined).join(',') }
    let cursor: WatchCursor
    try {
      cursor = await service.watch(ref, options, caller)
    } catch (error) {
      // A version that is too old is told inside the watch, where clients look for it.
      if (!isApiError(error) || error.status !== 410) throw error
      beginAnswer(exchange, 200, 'application/json')
      exchange.response.end(errorLine(error))
      return
    }
    await streamWatch({ exchange, served, wanted, clock, log, stopping }, cursor)
  }

  #connectContext(exchange: Exchange, path: ResourcePath, operation: Operation, caller: Caller) {
    const { service, connectHandlers, log, stopping } = this.#options
    const namespaced = service.registry.get({ group: path.group, resource: path.resource })?.namespaced === true
    const key = `${path.group}/${path.resource}/${operation.subresource?.name ?? ''}`
    const handler = connectHandlers.get(key)
    if (handler === undefined) throw new ApiError('ServiceUnavailable', `nothing in this server connects ${key}`)
    return {
      exchange,
      ref: { ...refOf(path, namespaced), subresource: path.subresource },
      rest: path.rest,
      caller,
      service,
      handler,
      log,
      stopping,
    }
  }

  async #plain(exchange: Exchange, path: PlainPath): Promise<void> {
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
    throw notFound()
  }
}

/** The object or collection that a path means. The namespace of a cluster-scoped object is empty, also of a namespace itself. */
const refOf = (path: ResourcePath, namespaced: boolean) => ({
  group: path.group,
  version: path.version,
  resource: path.resource,
  namespace: namespaced ? path.namespace : '',
  name: path.name,
  ...(path.subresource === '' ? {} : { subresource: path.subresource }),
})
