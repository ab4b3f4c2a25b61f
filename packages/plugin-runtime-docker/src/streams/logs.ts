import type { Readable, Writable } from 'node:stream'
import type { LogOptions } from '@continuo/workload'
import type { Daemon } from '../daemon/daemon.ts'
import { runtimeError } from '../daemon/daemon-error.ts'
import { readFrames } from '../daemon/frames.ts'
import { LogLines } from './log-lines.ts'
import { writeChunk } from './write-chunk.ts'

/** Writes what `kubectl logs` shows. Resolves at the end, when the limit or the reader has had enough, or when the signal aborts. */
export async function writeLogs(
  daemon: Daemon,
  container: { readonly id: string; readonly tty: boolean },
  options: LogOptions,
  out: Writable,
  signal: AbortSignal,
): Promise<void> {
  if (options.tailLines === 0 && !options.follow) return
  const path = `/containers/${container.id}/logs`
  const source = await daemon.stream(
    `read the log of container ${container.id}`,
    { method: 'GET', path, query: logQuery(options) },
    'RUNTIME_NOT_FOUND',
  )
  const leave = (): void => void source.destroy()
  signal.addEventListener('abort', leave, { once: true })
  out.once('close', leave)
  try {
    if (!signal.aborted) await copy(source, container.tty, new LogLines(options), out)
  } catch (error) {
    if (!signal.aborted && !out.destroyed)
      throw runtimeError(error, `go on with the log of container ${container.id}`, 'RUNTIME_UNAVAILABLE')
  } finally {
    signal.removeEventListener('abort', leave)
    out.off('close', leave)
    source.destroy()
  }
}

async function copy(source: Readable, terminal: boolean, lines: LogLines, out: Writable): Promise<void> {
  for await (const frame of readFrames(source, terminal)) {
    const shown = lines.push(frame)
    if (shown.length > 0 && !(await writeChunk(out, shown))) return
    if (lines.full) return
  }
}

/** What the daemon is asked for. Pure. */
export function logQuery({ follow, timestamps, tailLines, since, stream = 'All' }: LogOptions): Record<string, string> {
  return {
    follow: follow ? '1' : '0',
    stdout: stream === 'Stderr' ? '0' : '1',
    stderr: stream === 'Stdout' ? '0' : '1',
    timestamps: timestamps ? '1' : '0',
    tail: tailLines === undefined ? 'all' : String(tailLines),
    ...(since === undefined ? {} : { since: (since / 1000).toFixed(3) }),
  }
}
