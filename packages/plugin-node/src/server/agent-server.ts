import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock, Log } from '@continuo/core'
import { isRuntimeError, type Runtime } from '@continuo/workload'
import type { PodManager } from '../pod/pod-manager.ts'
import { logOptions } from './log-options.ts'
import { AgentRequestError, findContainer, type StreamPath, streamPath } from './stream-path.ts'
import { serveUpgrade } from './upgrade.ts'

export interface AgentServerOptions {
  readonly manager: Pick<PodManager, 'pod' | 'pods'>
  readonly runtime: Runtime
  readonly clock: Clock
  readonly log: Log
}

/**
 * The agent's own HTTP server. It listens nowhere: the control plane's streams are handed to it one by one.
 * It trusts its caller, which has authorised the request against the API's rules before it dialled.
 */
export class AgentServer {
  readonly #options: AgentServerOptions
  readonly #server: Server
  readonly #abort = new AbortController()

  constructor(options: AgentServerOptions) {
    this.#options = options
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head))
    // The control plane bounds how long a request may take; logs and exec last as long as they last.
    this.#server.requestTimeout = 0
    this.#server.timeout = 0
  }

  accept(stream: Duplex): void {
    this.#server.emit('connection', stream)
  }

  async close(): Promise<void> {
    this.#abort.abort()
    this.#server.closeAllConnections()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = requestUrl(request)
      if (url.pathname === '/healthz') {
        response.end('ok')
        return
      }
      if (url.pathname === '/pods') {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: this.#options.manager.pods() }))
        return
      }
      const path = streamPath(url)
      if (path === undefined) throw new AgentRequestError(404, `no such path: ${url.pathname}`)
      if (path.verb === 'containerLogs') await this.#logs(path, url, response)
      else throw new AgentRequestError(400, 'Upgrade request required')
    } catch (error) {
      answerError(response, error)
    }
  }

  async #logs(path: StreamPath, url: URL, response: ServerResponse): Promise<void> {
    const found = findContainer(this.#options.manager, path)
    const options = logOptions(url.searchParams, this.#options.clock.now())
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    response.setHeader('content-type', 'text/plain')
    if (options.follow) response.flushHeaders()
    await this.#options.runtime.logs(
      { sandbox: found.sandbox, name: path.container as string, attempt: this.#attempt(found, path, options.previous) },
      options,
      response,
      AbortSignal.any([gone.signal, this.#abort.signal]),
    )
    response.end()
  }

  /** The attempt that the log is asked of; `previous` without one is the caller's mistake. */
  #attempt(found: ReturnType<typeof findContainer>, path: StreamPath, previous: boolean): number | undefined {
    const status = found.statuses.find((other) => other.name === path.container)
    if (status?.containerID === undefined)
      throw new AgentRequestError(
        400,
        `container "${path.container}" in pod "${path.pod}" is waiting to start: ${status?.state?.waiting?.reason ?? 'ContainerCreating'}`,
      )
    if (!previous) return undefined
    // While it waits for its next attempt, the count still is that of the attempt that ended last.
    const attempt = status.restartCount - (status.state?.waiting === undefined ? 1 : 0)
    if (status.lastState?.terminated === undefined || attempt < 0)
      throw new AgentRequestError(400, `previous terminated container "${path.container}" in pod "${path.pod}" not found`)
    return attempt
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // From here on nobody else listens for its errors, and one without a listener ends the process.
    socket.on('error', () => socket.destroy())
    try {
      const url = requestUrl(request)
      const path = streamPath(url)
      if (path === undefined) throw new AgentRequestError(404, `no such path: ${url.pathname}`)
      const found = findContainer(this.#options.manager, path)
      await serveUpgrade({
        request,
        socket,
        head,
        url,
        path,
        sandbox: found.sandbox,
        tty: found.tty,
        runtime: this.#options.runtime,
        log: this.#options.log,
        signal: this.#abort.signal,
      })
    } catch (error) {
      const status = statusOf(error)
      const message = error instanceof Error ? error.message : String(error)
      socket.end(
        `HTTP/1.1 ${status} Error\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(message)}\r\nconnection: close\r\n\r\n${message}`,
      )
    }
  }
}

function requestUrl(request: IncomingMessage): URL {
  const url = URL.parse(request.url ?? '/', 'http://agent')
  if (url === null) throw new AgentRequestError(400, `not a path: ${request.url}`)
  return url
}

const statusOf = (error: unknown): number =>
  error instanceof AgentRequestError ? error.status : isRuntimeError(error, 'RUNTIME_NOT_FOUND') ? 404 : 500

function answerError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.statusCode = statusOf(error)
  response.setHeader('content-type', 'text/plain')
  response.end(error instanceof Error ? error.message : String(error))
}
