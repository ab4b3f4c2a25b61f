import { ApiError, type Health, type HealthResult } from '@continuo/core'
import { sendBytes } from '../server/answer.ts'
import type { Exchange } from '../server/exchange.ts'

type Endpoint = 'healthz' | 'livez' | 'readyz'

export const isHealthPath = (segments: readonly string[]): segments is readonly [Endpoint, ...string[]] =>
  segments[0] === 'healthz' || segments[0] === 'livez' || segments[0] === 'readyz'

/**
 * `ping` tells that the server answers at all; the others are the host's. Of these `/livez` knows only those that starting the process anew can mend:
 * not that it starts or stops, nor that the store is away. Kubernetes asks etcd there too, and loses its API servers with it.
 */
async function checksOf(endpoint: Endpoint, health: Health): Promise<readonly HealthResult[]> {
  const results = await health.check()
  return [{ name: 'ping', ok: true }, ...(endpoint === 'livez' ? results.filter((result) => result.readinessOnly !== true) : results)]
}

/** The text of a health answer, as Kubernetes words it. Pure. */
export function renderHealth(
  endpoint: Endpoint,
  results: readonly HealthResult[],
  excluded: ReadonlySet<string>,
  verbose: boolean,
): { readonly status: number; readonly text: string } {
  const failed = results.filter((result) => !result.ok && !excluded.has(result.name))
  if (failed.length === 0 && !verbose) return { status: 200, text: 'ok' }
  const lines = results.map(({ name, ok, reason }) =>
    excluded.has(name) ? `[+]${name} excluded: ok` : ok ? `[+]${name} ok` : `[-]${name} failed: ${reason ?? 'reason withheld'}`,
  )
  for (const name of excluded)
    if (!results.some((result) => result.name === name))
      lines.push(`warn: some health checks cannot be excluded: no matches for ${JSON.stringify(name)}`)
  lines.push(`${endpoint} check ${failed.length === 0 ? 'passed' : 'failed'}`)
  return { status: failed.length === 0 ? 200 : 500, text: `${lines.join('\n')}\n` }
}

const textForm = 'text/plain; charset=utf-8'

/** Answers `/healthz`, `/livez`, `/readyz` (`?verbose`, `?exclude=`) and their single checks below. */
export async function answerHealth(exchange: Exchange, segments: readonly [Endpoint, ...string[]], health: Health): Promise<void> {
  const [endpoint, ...rest] = segments
  const results = await checksOf(endpoint, health)
  if (rest.length > 0) {
    const name = rest.join('/')
    const one = results.find((result) => result.name === name)
    if (one === undefined) throw new ApiError('NotFound', `there is no health check ${JSON.stringify(name)}`, {})
    const text = one.ok ? 'ok' : `internal server error: ${one.reason ?? 'reason withheld'}\n`
    return sendBytes(exchange, one.ok ? 200 : 500, textForm, Buffer.from(text), ['x-content-type-options', 'nosniff'])
  }
  const excluded = new Set(exchange.query?.getAll('exclude') ?? [])
  const { status, text } = renderHealth(endpoint, results, excluded, exchange.query?.has('verbose') === true)
  sendBytes(exchange, status, textForm, Buffer.from(text), ['x-content-type-options', 'nosniff'])
}
