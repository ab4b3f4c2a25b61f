// A process of its own for what is measured, so that its CPU is told apart from that of who asks; called over IPC.

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

type Method = (parameters: never) => unknown

/** The measured side: answers calls by name. `cpu` and `memory` are there for every child. */
export function serve(methods: Readonly<Record<string, Method>>): void {
  const all: Readonly<Record<string, Method>> = { cpu: cpuMicros, memory: settledMemory, ...methods }
  process.on('message', async ({ id, method, parameters }: { id: number; method: string; parameters: never }) => {
    try {
      process.send?.({ id, result: await all[method]?.(parameters) })
    } catch (error) {
      process.send?.({ id, error: String((error as Error).stack) })
    }
  })
  process.on('disconnect', () => process.exit())
}

/** CPU of this process, all threads, user and system, in microseconds. */
export const cpuMicros = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Bytes of live objects, after several collections, inside V8's heap and outside. */
export async function settledMemory(): Promise<{ readonly heap: number; readonly outside: number; readonly resident: number }> {
  for (let i = 0; i < 6; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  return { heap: heapUsed, outside: arrayBuffers, resident: rss }
}

export interface Child extends Disposable {
  call<T>(method: string, parameters?: unknown): Promise<T>
}

/** The asking side. `file` is beside this one, and gets the arguments. */
export function startChild(file: string, args: readonly string[] = []): Child {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv: ['--conditions=@continuo/source', '--expose-gc', ...(process.env.BENCH_NODE_OPTIONS?.split(' ') ?? [])],
    serialization: 'advanced',
  })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let next = 0
  child.on('message', ({ id, result, error }: { id: number; result: unknown; error?: string }) => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) call?.resolve(result)
    else call?.reject(new Error(error))
  })
  child.on('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${file} ended with ${code}`))
  })
  return {
    call: <T>(method: string, parameters?: unknown) =>
      new Promise<T>((resolve, reject) => {
        const id = next++
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
        child.send({ id, method, parameters })
      }),
    [Symbol.dispose]: () => child.disconnect(),
  }
}
