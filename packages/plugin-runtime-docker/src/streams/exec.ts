import { readFileSync } from 'node:fs'
import type { Clock } from '@continuo/core'
import type { ProcessStreams } from '@continuo/workload'
import type { Daemon } from '../daemon/daemon.ts'
import { followSizes, joinStreams } from './process-session.ts'

/** What stops the sequence of Docker's that takes a client off its terminal: four NULs in a row are nobody's input. */
export const noDetachKeys = 'ctrl-@,ctrl-@,ctrl-@,ctrl-@'

/** How often a command is looked at whose output has ended. */
const endingMs = 10

/**
 * Runs a command in a running container and resolves with its exit code. When the signal aborts, the command is killed: the daemon would
 * let it run on.
 */
export async function execIn(
  daemon: Daemon,
  clock: Clock,
  container: string,
  command: readonly string[],
  streams: ProcessStreams,
  signal: AbortSignal,
): Promise<number> {
  const { id } = await daemon.call(
    `run a command in container ${container}`,
    (docker, abortSignal) =>
      docker.getContainer(container).exec({
        Cmd: [...command],
        AttachStdin: streams.stdin !== undefined,
        AttachStdout: true,
        AttachStderr: true,
        Tty: streams.tty,
        DetachKeys: noDetachKeys,
        abortSignal,
      }),
    { code: 'RUNTIME_NOT_FOUND' },
  )
  const dial = { method: 'POST', path: `/exec/${id}/start`, body: { Detach: false, Tty: streams.tty } } as const
  const connection = await daemon.hijack(`start a command in container ${container}`, dial, 'RUNTIME_START_FAILED')
  const over = new AbortController()
  const resize = (size: { width: number; height: number }): Promise<unknown> =>
    daemon.call('resize a terminal', (docker) => docker.getExec(id).resize({ w: size.width, h: size.height }))
  void followSizes(streams.tty ? streams.resize : undefined, resize, over.signal)
  try {
    await joinStreams(connection, streams, streams.tty, signal)
    return await exitCode(daemon, clock, container, id, signal)
  } finally {
    over.abort()
  }
}

async function exitCode(daemon: Daemon, clock: Clock, container: string, id: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    const state = await daemon.call(
      `tell how a command in container ${container} ended`,
      (docker, abortSignal) => docker.getExec(id).inspect({ abortSignal }),
      { code: 'RUNTIME_NOT_FOUND' },
    )
    if (!state.Running && state.ExitCode !== null) return state.ExitCode
    if (signal.aborted) {
      killInContainer(container, state.Pid)
      signal.throwIfAborted()
    }
    await clock.sleep(endingMs, signal).catch(() => {})
  }
}

/** Kills a process of the host, if it is one of that container: ids of processes come again. */
function killInContainer(container: string, pid: number): void {
  try {
    if (pid > 0 && readFileSync(`/proc/${pid}/cgroup`, 'latin1').includes(container)) process.kill(pid, 'SIGKILL')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}

/** Joins a client with the container's own streams until it has ended or the signal aborts. */
export async function attachTo(
  daemon: Daemon,
  container: { readonly id: string; readonly tty: boolean },
  streams: ProcessStreams,
  signal: AbortSignal,
): Promise<void> {
  const wanted = (stream: unknown): string => (stream === undefined ? '0' : '1')
  const query = {
    stream: '1',
    stdin: wanted(streams.stdin),
    stdout: wanted(streams.stdout),
    stderr: wanted(streams.stderr),
    detachKeys: noDetachKeys,
  }
  const path = `/containers/${container.id}/attach`
  const connection = await daemon.hijack(`attach to container ${container.id}`, { method: 'POST', path, query }, 'RUNTIME_NOT_FOUND')
  const over = new AbortController()
  const resize = (size: { width: number; height: number }): Promise<unknown> =>
    daemon.call('resize a terminal', (docker) => docker.getContainer(container.id).resize({ w: size.width, h: size.height }))
  void followSizes(container.tty ? streams.resize : undefined, resize, over.signal)
  try {
    await joinStreams(connection, streams, container.tty, signal)
  } finally {
    over.abort()
  }
}
