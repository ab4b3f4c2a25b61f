import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Log } from '@continuo/core'
import { acceptExec, acceptPortForward, exitStatus, type ForwardedConnection, type RemoteCommandStreams } from '@continuo/lib-streams'
import type { Runtime } from '@continuo/workload'
import { serveDial } from './serve-dial.ts'
import type { StreamPath } from './stream-path.ts'

export interface UpgradeRequest {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  readonly url: URL
  readonly path: StreamPath
  readonly sandbox: string
  /** The container itself has a terminal: what attach goes by. */
  readonly tty: boolean
  readonly runtime: Runtime
  readonly log: Log
  readonly signal: AbortSignal
}

const flag = (query: URLSearchParams, name: string): boolean => query.get(name) === 'true' || query.get(name) === '1'

/** Serves exec, attach and port-forward over whichever protocol the client brought. Resolves when the stream is over. */
export async function serveUpgrade(upgrade: UpgradeRequest): Promise<void> {
  if (upgrade.path.verb === 'portForward') return servePortForward(upgrade)
  if (upgrade.path.verb === 'dial') return serveDial(upgrade)
  const { url, path } = upgrade
  const query = url.searchParams
  const tty = path.verb === 'attach' ? upgrade.tty : flag(query, 'tty')
  const streams = await acceptExec(upgrade.request, upgrade.socket, upgrade.head, {
    stdin: flag(query, 'stdin'),
    stdout: flag(query, 'stdout'),
    stderr: !tty && flag(query, 'stderr'),
    tty,
  })
  const signal = AbortSignal.any([streams.closed, upgrade.signal])
  try {
    await streams.finish(await runCommand(upgrade, streams, tty, signal))
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    await streams
      .finish({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'InternalError', message, code: 500 })
      .catch(() => {})
  }
}

async function runCommand(
  { path, url, runtime, sandbox }: UpgradeRequest,
  streams: RemoteCommandStreams,
  tty: boolean,
  signal: AbortSignal,
) {
  const container = { sandbox, name: path.container as string }
  const plumbing = { stdin: streams.stdin, stdout: streams.stdout, stderr: streams.stderr, tty, resize: streams.resize }
  if (path.verb === 'exec') return exitStatus(await runtime.exec(container, url.searchParams.getAll('command'), plumbing, signal))
  await runtime.attach(container, plumbing, signal)
  return exitStatus(0)
}

async function servePortForward(upgrade: UpgradeRequest): Promise<void> {
  const ports = upgrade.url.searchParams
    .getAll('ports')
    .flatMap((text) => text.split(','))
    .map(Number)
    .filter((port) => Number.isInteger(port) && port > 0)
  const session = await acceptPortForward(upgrade.request, upgrade.socket, upgrade.head, { ports })
  upgrade.signal.addEventListener('abort', () => session.close(), { once: true })
  for await (const connection of session) void forward(upgrade, connection, session.closed)
}

async function forward({ runtime, sandbox, log }: UpgradeRequest, connection: ForwardedConnection, signal: AbortSignal): Promise<void> {
  try {
    const target = await runtime.portForward(sandbox, connection.port, signal)
    await Promise.allSettled([pipeline(connection.data, target, { signal }), pipeline(target, connection.data, { signal })])
    connection.error.end()
  } catch (error) {
    log.debug({ port: connection.port, error }, 'cannot forward a port')
    connection.error.end(`error forwarding port ${connection.port}: ${error instanceof Error ? error.message : error}`)
    connection.data.destroy()
  }
}
