import type { ApiDelegate } from '@continuo/workload'

type Json = Readonly<Record<string, unknown>>

const asRecord = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})

/**
 * One OpenAPI 2.0 document of this server's and those of others: of each only the paths of the group version that it answers.
 * A definition that two of them have is this server's. Pure.
 */
export function mergeV2(own: Json, others: ReturnType<ApiDelegate['openApi']>): Record<string, unknown> {
  let paths = asRecord(own.paths)
  let definitions = asRecord(own.definitions)
  for (const { group, version, document } of others) {
    const prefix = `/apis/${group}/${version}/`
    paths = { ...paths, ...Object.fromEntries(Object.entries(asRecord(document.paths)).filter(([path]) => path.startsWith(prefix))) }
    definitions = { ...asRecord(document.definitions), ...definitions }
  }
  return { ...own, paths, definitions }
}
