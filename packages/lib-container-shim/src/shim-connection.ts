import { closeSync, openSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { constants } from 'node:os'
import { finished, Writable } from 'node:stream'
import { type ProcessStreams, RuntimeError, type TerminalSize } from '@continuo/workload'
import { encodeFrame, type Frame, FrameReader, maxInput } from './frames.ts'
import { encodeExec } from './shim-spec.ts'

/** How a process ended: its exit code, or 128 + the signal that killed it. */
export interface ProcessEnd {
  readonly code: number
  readonly signal: number
}

/** Opens the shim's socket through its directory's descriptor, because a socket path is limited to 107 bytes and a data directory is not. */
function open(directory: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const descriptor = openSync(directory, 'r')
    const socket = connect(`/proc/self/fd/${descriptor}/shim.sock`)
    socket.once('connect', () => {
      closeSync(descriptor)
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      closeSync(descriptor)
      // The socket is there and its queue is full.
      const busy = cause.code === 'EAGAIN'
      if (busy) reject(new RuntimeError('RUNTIME_UNAVAILABLE', `too many connections to the container in ${directory}`, { cause }))
      else reject(new RuntimeError('RUNTIME_NOT_FOUND', `the container in ${directory} is not running`, { cause }))
    })
  })
}

/** The number of `SIGTERM`, `SIGRTMIN+3` and their like; undefined for what is none. */
export function signalNumber(name: string): number | undefined {
  const realTime = /^SIGRTMIN(?:\+(\d{1,2}))?$/.exec(name)
  if (realTime !== null) return firstRealTime + Number(realTime[1] ?? 0)
  return (constants.signals as Readonly<Record<string, number>>)[name]
}

const firstRealTime = 34

/** Sends a signal to the container's process group, or to everything that descends from its shim. */
export async function signalContainer(directory: string, signal: number, scope: 'group' | 'all'): Promise<void> {
  const socket = await open(directory)
  const reader = new FrameReader()
  await new Promise<void>((resolve, reject) => {
    const gone = (cause?: Error): void => reject(new RuntimeError('RUNTIME_NOT_FOUND', `the container in ${directory} ended`, { cause }))
    socket.on('data', (chunk) => {
      if (reader.push(chunk).length > 0) resolve()
    })
    socket.on('error', gone)
    socket.on('close', () => gone())
    socket.write(encodeFrame('K', Uint8Array.of(signal, scope === 'all' ? 1 : 0)))
  }).finally(() => socket.destroy())
}

/** Connects streams to the container's own process until it ends, the signal aborts, or nobody reads any more. */
export async function attachContainer(directory: string, streams: ProcessStreams, signal?: AbortSignal): Promise<ProcessEnd | undefined> {
  const flags = (streams.stdin === undefined ? 0 : 1) | (streams.stdout === undefined ? 0 : 2) | (streams.stderr === undefined ? 0 : 4)
  return (await converse(await open(directory), encodeFrame('A', Uint8Array.of(flags)), streams, signal)).end
}

/** Runs a command in the container's context. Aborting or losing the connection kills its process group. */
export async function execInContainer(
  directory: string,
  args: readonly string[],
  streams: ProcessStreams,
  signal: AbortSignal,
  size?: TerminalSize,
): Promise<ProcessEnd> {
  const payload = encodeExec({ args, tty: streams.tty, stdin: streams.stdin !== undefined, ...(size === undefined ? {} : { size }) })
  const { end, started } = await converse(await open(directory), encodeFrame('E', payload), streams, signal)
  if (end !== undefined) return end
  if (started) throw new RuntimeError('RUNTIME_NOT_FOUND', `the container in ${directory} ended before the command did`)
  throw new RuntimeError('RUNTIME_UNAVAILABLE', `the container in ${directory} took no connection: it has too many, or it ended`)
}

interface Conversation {
  /** Undefined when the connection was lost before. */
  readonly end?: ProcessEnd
  /** The shim did what it was asked for. */
  readonly started: boolean
}

async function converse(socket: Socket, opening: Buffer, streams: ProcessStreams, signal?: AbortSignal): Promise<Conversation> {
  const abort = (): void => void socket.destroy()
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted) abort()
  const input = pumpInput(socket, streams)
  let started = false
  try {
    socket.write(opening)
    const end = await pumpOutput(socket, streams, () => {
      started = true
      input.start()
    })
    signal?.throwIfAborted()
    return end === undefined ? { started } : { end, started }
  } finally {
    signal?.removeEventListener('abort', abort)
    input.stop()
    socket.destroy()
  }
}

/** Copies frames to the output streams, one chunk at a time, so that a slow reader slows the process and not our memory. */
async function pumpOutput(socket: Socket, streams: ProcessStreams, started: () => void): Promise<ProcessEnd | undefined> {
  const reader = new FrameReader()
  const broken = new Set<Writable>()
  for (const stream of [streams.stdout, streams.stderr])
    if (stream !== undefined) finished(stream, { readable: false }, () => broken.add(stream))
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      for (const frame of reader.push(chunk)) {
        const end = await take(frame, streams, broken, started)
        if (end !== undefined) return end
      }
      if (broken.size > 0 && [streams.stdout, streams.stderr].every((stream) => stream === undefined || broken.has(stream)))
        return undefined
    }
  } catch (error) {
    if (error instanceof RuntimeError) throw error
  }
  return undefined
}

async function take(
  frame: Frame,
  streams: ProcessStreams,
  broken: ReadonlySet<Writable>,
  started: () => void,
): Promise<ProcessEnd | undefined> {
  if (frame.type === 'O') started()
  else if (frame.type === 'X')
    return {
      code: frame.payload.readUInt32LE(0),
      signal: frame.payload.readUInt32LE(4),
    }
  else if (frame.type === 'F') throw new RuntimeError('RUNTIME_START_FAILED', frame.payload.toString())
  else {
    const stream = frame.type === '2' ? streams.stderr : streams.stdout
    if (stream !== undefined && !broken.has(stream)) await write(stream, frame.payload)
  }
  return undefined
}

function write(stream: Writable, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.write(chunk)) return resolve()
    const done = (): void => {
      stream.off('drain', done).off('close', done).off('error', done)
      resolve()
    }
    stream.on('drain', done).on('close', done).on('error', done)
  })
}

/** Copies input and terminal sizes to the shim, from the moment the process runs. */
function pumpInput(socket: Socket, streams: ProcessStreams): { start(): void; stop(): void } {
  const sizes = streams.resize?.[Symbol.asyncIterator]()
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      let clear = true
      for (let at = 0; at < chunk.length; at += maxInput) clear = socket.write(encodeFrame('0', chunk.subarray(at, at + maxInput)))
      if (clear || socket.destroyed) done()
      else socket.once('drain', done)
    },
    final(done) {
      socket.write(encodeFrame('C'))
      done()
    },
  })
  sink.on('error', () => socket.destroy())
  const follow = async (): Promise<void> => {
    for (let next = await sizes?.next(); next !== undefined && !next.done && !socket.destroyed; next = await sizes?.next()) {
      const size = Buffer.alloc(4)
      size.writeUInt16LE(clamp(next.value.height), 0)
      size.writeUInt16LE(clamp(next.value.width), 2)
      socket.write(encodeFrame('R', size))
    }
  }
  return {
    start() {
      streams.stdin?.pipe(sink)
      follow().catch(() => {})
    },
    stop() {
      streams.stdin?.unpipe(sink)
      sizes?.return?.().catch(() => {})
    },
  }
}

const clamp = (value: number): number => Math.max(0, Math.min(65_535, Math.trunc(value)))
