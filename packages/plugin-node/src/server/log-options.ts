import { parseTime } from '@continuo/core'
import type { LogOptions } from '@continuo/workload'
import { AgentRequestError } from './stream-path.ts'

const flag = (value: string | null): boolean => value === 'true' || value === '1'

function number(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0)
    throw new AgentRequestError(400, `${name} must be a whole number of at least 0, not ${JSON.stringify(text)}`)
  return value
}

/** Options of the `log` subresource from its query. `now` is wall time in milliseconds. */
export function logOptions(query: URLSearchParams, now: number): LogOptions {
  const sinceTime = query.get('sinceTime')
  const sinceSeconds = number(query, 'sinceSeconds')
  if (sinceTime !== null && sinceSeconds !== undefined)
    throw new AgentRequestError(400, 'at most one of sinceTime or sinceSeconds may be specified')
  const since = sinceTime !== null ? parseTime(sinceTime) : sinceSeconds === undefined ? undefined : now - sinceSeconds * 1_000
  if (since !== undefined && Number.isNaN(since))
    throw new AgentRequestError(400, `sinceTime is no RFC 3339 time: ${JSON.stringify(sinceTime)}`)
  const stream = streamOf(query.get('stream'))
  if (stream !== 'All' && query.has('tailLines'))
    throw new AgentRequestError(400, '`tailLines` and specific `stream` are mutually exclusive for now')
  return {
    follow: flag(query.get('follow')),
    previous: flag(query.get('previous')),
    timestamps: flag(query.get('timestamps')),
    tailLines: number(query, 'tailLines'),
    limitBytes: number(query, 'limitBytes'),
    since,
    stream,
  }
}

function streamOf(text: string | null): NonNullable<LogOptions['stream']> {
  if (text === null || text === 'All') return 'All'
  if (text === 'Stdout' || text === 'Stderr') return text
  throw new AgentRequestError(400, `stream must be All, Stdout or Stderr, not ${JSON.stringify(text)}`)
}
