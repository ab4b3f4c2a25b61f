import { connect } from 'node:net'
import { Duplex, PassThrough } from 'node:stream'
import type { Clock } from '@continuo/core'
import { RuntimeError } from '@continuo/workload'
import type { Daemon } from '../daemon/daemon.ts'
import { readFrames } from '../daemon/frames.ts'
import { writeChunk } from './write-chunk.ts'

/** How long the sandbox's address may take to answer before the connection is made inside. */
const dialMs = 1_000

/** Connects to an address of a sandbox. Resolves with undefined when nobody answers there: it may listen on loopback alone. */
export function dialAddress(clock: Clock, host: string, port: number, signal: AbortSignal): Promise<Duplex | undefined> {
  return new Promise((resolve, reject) => {
    const late = new AbortController()
    const cancel = clock.after(dialMs, () => late.abort())
    const socket = connect({ host, port, allowHalfOpen: true })
    const leave = (): void => void socket.destroy(new RuntimeError('RUNTIME_UNAVAILABLE', `nobody answers at ${host}:${port}`))
    const either = AbortSignal.any([late.signal, signal])
    either.addEventListener('abort', leave, { once: true })
    if (either.aborted) leave()
    socket.once('connect', () => {
      cancel()
      either.removeEventListener('abort', leave)
      resolve(socket.removeAllListeners('error'))
    })
    socket.once('error', (error) => {
      cancel()
      if (signal.aborted) reject(error)
      else resolve(undefined)
    })
  })
}

/** Connects to a port of the sandbox's loopback, by the sandbox's own program: it works wherever the daemon is. */
export async function dialInside(daemon: Daemon, holder: string, port: number, signal: AbortSignal): Promise<Duplex> {
  const { id } = await daemon.call(`reach port ${port} of sandbox ${holder}`, (docker, abortSignal) =>
    docker.getContainer(holder).exec({
      Cmd: ['/pause', 'dial', String(port)],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      abortSignal,
    }),
  )
  const dial = { method: 'POST', path: `/exec/${id}/start`, body: { Detach: false, Tty: false } } as const
  const connection = await daemon.hijack(`reach port ${port} of sandbox ${holder}`, dial)
  const frames = readFrames(connection, false)
  const leave = (): void => void connection.destroy()
  signal.addEventListener('abort', leave, { once: true })
  const first = await frames.next().catch(() => undefined)
  const greeting = first?.value?.data
  if (greeting?.[0] !== 0x2b) {
    connection.destroy()
    signal.throwIfAborted()
    throw new RuntimeError('RUNTIME_UNAVAILABLE', `dial tcp4 127.0.0.1:${port}: connect: connection refused`, {
      hint: `see whether anything in the pod listens on port ${port}`,
    })
  }
  const received = new PassThrough()
  const receive = async (): Promise<void> => {
    if (greeting.length > 1) await writeChunk(received, greeting.subarray(1))
    for await (const { data } of frames) if (!(await writeChunk(received, data))) return
  }
  receive()
    .then(
      () => received.end(),
      (error: Error) => received.destroy(error),
    )
    .finally(() => signal.removeEventListener('abort', leave))
  received.on('close', () => connection.destroy())
  return Duplex.from({ readable: received, writable: connection })
}
