import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { ApiError, type Caller, type Clock, type Log, type ObjectService, type Random, type ServedResource } from '@continuo/core'
import { type ConnectHandler, parseProxiedName } from '@continuo/workload'
import type { Gate } from '../access/gate.ts'
import { WatchRights } from '../access/watch-rights.ts'
import { type ConnectContext, runConnect, runUpgrade } from '../connect/run-connect.ts'
import { Negotiator, type Wanted } from '../request/negotiate.ts'
import type { ResourcePath } from '../request/path.ts'
import { readGetOptions, readListOptions } from '../request/query-options.ts'
import { BlockPool } from '../server/blocks.ts'
import type { BodyLimits } from '../server/body.ts'
import type { Exchange } from '../server/exchange.ts'
import type { Decoding } from './body-decoder.ts'
import { notFound, type Operation, operationOf } from './operation.ts'
import { type Presentation, sendList, sendObject } from './present.ts'
import { answersInProtobuf } from './protobuf.ts'
import { runWatch, type WatchContext } from './watch.ts'
import { runWatchSocket } from './watch-socket.ts'
import { runWrite } from './write.ts'

/** A request for a resource that is served, after the gate. */
export interface ResourceRequest {
  readonly exchange: Exchange
  readonly path: ResourcePath
  readonly served: ServedResource
  readonly operation: Operation
  readonly caller: Caller
}

export interface ResourceRequestsOptions {
  readonly service: ObjectService
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly connectHandlers: { get(key: string): ConnectHandler | undefined }
  readonly body: BodyLimits
  readonly decoding: Decoding
  /** Shortest time after which a watch without a timeout of its own is ended; the longest is twice that. */
  readonly watchTimeoutSeconds: number
  /** Aborts when the server stops: watches and streams end then. */
  readonly stopping: AbortSignal
}

/** Throws 404 for a resource that is not served, and what {@link operationOf} throws. */
export function requestOf(
  exchange: Exchange,
  path: ResourcePath,
  served: ServedResource | undefined,
  verb: string,
  caller: Caller,
): ResourceRequest {
  if (served === undefined) throw notFound()
  return { exchange, path, served, operation: operationOf(served, path, exchange.method, verb), caller }
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

/** Brings requests for resources to the object service, or to whoever is at the end of a stream, and the answers back in the form that is wanted. */
export class ResourceRequests {
  readonly #options: ResourceRequestsOptions
  readonly #gate: Gate
  readonly #lingerMs: () => number
  readonly #watchRights: WatchRights
  readonly #negotiator = new Negotiator()
  readonly #blocks = new BlockPool()

  /** `lingerMs` says how long a watch stays when the server stops. */
  constructor(options: ResourceRequestsOptions, gate: Gate, lingerMs: () => number) {
    this.#options = options
    this.#gate = gate
    this.#lingerMs = lingerMs
    this.#watchRights = new WatchRights(options.clock)
  }

  async run(request: ResourceRequest): Promise<void> {
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

  /** A watch over WebSocket, or a stream. Throws 400 for anything else. */
  async upgrade(resource: ResourceRequest, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { operation, path, served, caller } = resource
    if (operation.type === 'watch' && request.headers.upgrade?.toLowerCase() === 'websocket') {
      const ref = refOf(path, served.definition.namespaced)
      const upgrade = { request, socket, head }
      return runWatchSocket(this.#watchContext(resource), this.#options.service, ref, this.#watchTimeout(), caller, upgrade)
    }
    if (operation.type !== 'connect') throw new ApiError('BadRequest', 'the resource does not support upgrades to other protocols')
    await runUpgrade(this.#connectContext(resource), request, socket, head)
  }

  /** Ends the watches whose users may no longer watch. To be called from time to time. */
  recheckWatches(): Promise<void> {
    return this.#watchRights.recheck()
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
    return { exchange, served, wanted: this.#wantedBy(request), clock, log, stopping, lingerMs: this.#lingerMs, whileAllowed }
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
}
