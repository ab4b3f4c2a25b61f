import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { ContinuoError } from '@continuo/core'

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/**
 * A Node process in a network namespace of its own, which ends with it. It is asked by name; {@link serveNamespace} answers in there.
 * Needs root and `unshare`.
 */
export class NamespaceProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }>()
  #next = 0

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Starts the module; resolves when it serves. */
  static async start(module: URL): Promise<NamespaceProcess> {
    const child = fork(module, [], {
      execPath: '/usr/bin/unshare',
      execArgv: ['--net', process.execPath, '--conditions=@continuo/source', '--no-warnings'],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    const started = new NamespaceProcess(child)
    const failed = once(child, 'exit').then(([code]) => {
      const error = new ContinuoError('CHECK_FAILED', `the process of ${module.pathname} in a network namespace ended with ${code}`)
      for (const { reject } of started.#waiting.values()) reject(error)
      throw error
    })
    failed.catch(() => {})
    await Promise.race([once(child, 'message'), failed])
    child.on('message', ({ id, value, error }: Answer) => {
      const waiting = started.#waiting.get(id)
      started.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(value)
      else waiting?.reject(new ContinuoError('CHECK_FAILED', error))
    })
    return started
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** Asks the process. Rejects with the message of what was thrown there, and when it ends. */
  ask<T = unknown>(name: string, ...args: readonly unknown[]): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = this.#next++
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#child.send({ id, name, args }, (error) => {
        if (error !== null) reject(error)
      })
    })
  }

  /** Ends the process; its namespace, with interfaces and rules, goes with it. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.disconnect()
    await ended
  }
}

/** Answers a {@link NamespaceProcess} with these functions, until it is stopped. */
// biome-ignore lint/suspicious/noExplicitAny: questions of every shape come by name
export function serveNamespace(answers: Readonly<Record<string, (...args: any[]) => unknown>>): void {
  process.on('message', async ({ id, name, args }: { readonly id: number; readonly name: string; readonly args: readonly unknown[] }) => {
    try {
      process.send?.({ id, value: await answers[name]?.(...args) })
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
  process.on('disconnect', () => process.exit())
  process.send?.({ id: -1 })
}
