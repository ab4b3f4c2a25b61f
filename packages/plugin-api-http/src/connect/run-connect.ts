import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Caller, GroupVersionKind, Log, ObjectRef, ObjectService, ObjectView } from '@continuo/core'
import type { ConnectHandler, ConnectTarget } from '@continuo/workload'
import type { Exchange } from '../server/exchange.ts'
import { connectOptions, queryOfOptions } from './connect-options.ts'
import { forward, forwardUpgrade } from './forward.ts'

export interface ConnectContext {
  readonly exchange: Exchange
  readonly ref: ObjectRef
  /** The name as the path has it. */
  readonly asked: string
  readonly rest: string
  readonly caller: Caller
  readonly service: ObjectService
  readonly handler: ConnectHandler
  /** Of the options that the stream's request carries, where it has any. */
  readonly kind?: GroupVersionKind
  readonly log: Log
  readonly stopping: AbortSignal
}

async function targetOf(context: ConnectContext, signal: AbortSignal): Promise<ConnectTarget> {
  const { exchange, ref, asked, caller, handler, rest } = context
  const query = exchange.query ?? new URLSearchParams()
  const { view, query: admitted } = await admit(context, query)
  return handler.connect({ ref, asked, object: view.object, method: exchange.method, query: admitted, rest, caller, signal })
}

/** Streams whose request has a kind of its own go through admission; logs are merely read. */
async function admit(
  { ref, rest, service, caller, kind }: ConnectContext,
  query: URLSearchParams,
): Promise<{ view: ObjectView; query: URLSearchParams }> {
  if (kind === undefined) return { view: await service.get({ ...ref, subresource: undefined }, {}, caller), query }
  const { view, options } = await service.connect(ref, connectOptions(kind, query, rest), caller)
  return { view, query: queryOfOptions(options, query) }
}

/** Carries out a request to a connect subresource that is no upgrade. Throws ApiError. */
export const runConnect = (context: ConnectContext): Promise<void> =>
  forward(context.exchange, context.stopping, (signal) => targetOf(context, signal))

/** Carries out an HTTP/1.1 upgrade of a connect subresource. Throws ApiError as long as nothing was answered. */
export const runUpgrade = (context: ConnectContext, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> =>
  forwardUpgrade(request, socket, head, context.stopping, (signal) => targetOf(context, signal))
