import type { Duplex } from 'node:stream'
import type { ProcessStreams, TerminalSize } from '@continuo/workload'
import { runtimeError } from '../daemon/daemon-error.ts'
import { readFrames } from '../daemon/frames.ts'
import { writeChunk } from './write-chunk.ts'

/**
 * Joins a connection to a process with the client's streams until the process has closed its output or the signal aborts. A client that
 * is slow slows the process; one that stopped reading does not.
 */
export async function joinStreams(connection: Duplex, streams: ProcessStreams, terminal: boolean, signal: AbortSignal): Promise<void> {
  const { stdin, stdout, stderr } = streams
  const leave = (): void => void connection.destroy()
  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) leave()
  connection.on('error', () => {})
  stdin?.pipe(connection)
  try {
    for await (const { stream, data } of readFrames(connection, terminal)) {
      const out = stream === 'stderr' ? stderr : stdout
      if (out !== undefined) await writeChunk(out, data)
    }
  } catch (error) {
    if (!signal.aborted) throw runtimeError(error, 'go on with the streams of a process', 'RUNTIME_UNAVAILABLE')
  } finally {
    signal.removeEventListener('abort', leave)
    stdin?.unpipe(connection)
    connection.destroy()
  }
}

/** Tells each size of the client's terminal until the signal aborts. A size that cannot be set any more is nobody's loss. */
export async function followSizes(
  sizes: AsyncIterable<TerminalSize> | undefined,
  set: (size: TerminalSize) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  if (sizes === undefined) return
  try {
    for await (const size of sizes) {
      if (signal.aborted) return
      await set(size).catch(() => {})
    }
  } catch {
    // The client has left; its streams say so too.
  }
}
