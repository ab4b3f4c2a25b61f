import { Agent, get } from 'node:http'

export interface LoadFailure {
  readonly atMs: number
  readonly connection: 'new' | 'kept'
  readonly what: string
}

export interface LoadResult {
  readonly sent: number
  readonly answered: number
  readonly failures: readonly LoadFailure[]
  /** Answers by their text. */
  readonly answers: ReadonlyMap<string, number>
  readonly longestMs: number
}

/** How long an answer may take before it counts as a failure. */
const answerMs = 5_000

/**
 * Sends `perSecond` GET requests, in turn on a new connection and on one that is kept, each once: nothing is retried, and every one
 * that does not come back with 200 is a failure. Started at once; `stop` waits for the open ones.
 */
export function steadyLoad(url: string, perSecond: number): { readonly failures: readonly LoadFailure[]; stop(): Promise<LoadResult> } {
  const kept = new Agent({ keepAlive: true, maxSockets: 16 })
  const fresh = new Agent({ keepAlive: false })
  const began = performance.now()
  const failures: LoadFailure[] = []
  const answers = new Map<string, number>()
  const open = new Set<Promise<void>>()
  let sent = 0
  let answered = 0
  let longestMs = 0

  const one = (connection: 'new' | 'kept'): Promise<void> =>
    new Promise((resolve) => {
      const start = performance.now()
      const failed = (what: string): void => {
        failures.push({ atMs: Math.round(start - began), connection, what })
        resolve()
      }
      const request = get(url, { agent: connection === 'kept' ? kept : fresh, timeout: answerMs }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('error', (error) => failed(`while reading: ${error.message}`))
        response.on('end', () => {
          if (response.statusCode !== 200) return failed(`status ${response.statusCode}`)
          answered += 1
          answers.set(text, (answers.get(text) ?? 0) + 1)
          longestMs = Math.max(longestMs, performance.now() - start)
          resolve()
        })
      })
      request.on('timeout', () => request.destroy(new Error(`no answer within ${answerMs} ms`)))
      request.on('error', (error) => failed(`${error.message}${request.reusedSocket ? ' (reused connection)' : ''}`))
    })

  const timer = setInterval(() => {
    // By the clock and not by the tick: a late timer is made up for.
    const due = Math.floor(((performance.now() - began) * perSecond) / 1_000)
    for (; sent < due; sent++) {
      const request = one(sent % 2 === 0 ? 'new' : 'kept')
      open.add(request)
      void request.finally(() => open.delete(request))
    }
  }, 5)

  return {
    failures,
    async stop() {
      clearInterval(timer)
      await Promise.all(open)
      kept.destroy()
      fresh.destroy()
      return { sent, answered, failures, answers, longestMs }
    },
  }
}
