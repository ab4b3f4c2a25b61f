import type { Readable, Writable } from 'node:stream'
import type { Status } from '@continuo/core'

/** Which streams a client of exec or attach asked for. With a terminal there is no stderr. */
export interface RemoteCommandOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
  /** Gives up waiting for the client to open its streams. */
  readonly signal?: AbortSignal
}

export interface TerminalSize {
  readonly width: number
  readonly height: number
}

/** An accepted exec or attach, whichever protocol carries it. Streams that the client did not ask for are absent. */
export interface RemoteCommandStreams {
  /** The subprotocol, such as `v5.channel.k8s.io`. */
  readonly protocol: string
  readonly stdin?: Readable
  readonly stdout?: Writable
  readonly stderr?: Writable
  /** Sizes of the client's terminal; ends with the connection. Only the latest is kept for a slow reader. */
  readonly resize: AsyncIterable<TerminalSize>
  /** Aborts when the client has gone. */
  readonly closed: AbortSignal
  /** Ends the output, tells the client how it went, and closes. Call it once, when all output has been written. */
  finish(status: Status): Promise<void>
  /** Closes at once. */
  destroy(): void
}

/** The status that tells a client its command's exit code, as the kubelet words it. */
export function exitStatus(code: number): Status {
  if (code === 0) return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: exit status ${code}`,
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  }
}

/** The bytes on the error stream: JSON from version 4 on, the bare message of a failure before. */
export const encodeStatus = (status: Status, json: boolean): Buffer =>
  Buffer.from(json ? JSON.stringify(status) : status.status === 'Success' ? '' : (status.message ?? status.reason ?? 'unknown failure'))
