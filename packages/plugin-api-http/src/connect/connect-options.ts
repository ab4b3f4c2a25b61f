import type { GroupVersionKind, UnstructuredObject } from '@continuo/core'
import { formatApiVersion } from '@continuo/core'

const flags = ['stdin', 'stdout', 'stderr', 'tty'] as const
const isOn = (value: string | null): boolean => value !== null && value !== '0' && value.toLowerCase() !== 'false'

/** The request of a stream as an object of its own kind (PodExecOptions and its kin): what admission looks at. Pure. */
export function connectOptions(kind: GroupVersionKind, query: URLSearchParams, rest: string): UnstructuredObject {
  const options: Record<string, unknown> = { apiVersion: formatApiVersion(kind), kind: kind.kind }
  if (kind.kind.endsWith('ProxyOptions')) return { ...options, ...(rest === '' ? {} : { path: rest }) } as UnstructuredObject
  for (const flag of flags) if (isOn(query.get(flag))) options[flag] = true
  const container = query.get('container')
  if (container) options.container = container
  const command = query.getAll('command')
  if (command.length > 0) options.command = command
  const ports = query
    .getAll('ports')
    .flatMap((text) => text.split(','))
    .filter((text) => /^\d{1,5}$/.test(text))
  if (ports.length > 0) options.ports = ports.map(Number)
  return options as UnstructuredObject
}

/** The query that stands for such options; what they do not speak of stays. What a proxied call asks its target is its own affair. Pure. */
export function queryOfOptions(options: UnstructuredObject, query: URLSearchParams): URLSearchParams {
  if (options.kind.endsWith('ProxyOptions')) return query
  const result = new URLSearchParams(query)
  for (const flag of flags) {
    result.delete(flag)
    if (options[flag] === true) result.set(flag, 'true')
  }
  for (const name of ['container', 'command', 'ports']) {
    const value = options[name]
    result.delete(name)
    for (const one of Array.isArray(value) ? value : value === undefined ? [] : [value]) result.append(name, String(one))
  }
  return result
}
