import type { Caller } from './caller.ts'
import type { WriteOptions } from './options.ts'
import type { ServiceParts } from './service-parts.ts'

/** One write request on its way: who, with which options, and the warnings that were given so far. */
export interface WriteSession {
  readonly parts: ServiceParts
  readonly caller: Caller
  readonly options: WriteOptions
  /** The name under which fields are owned. */
  readonly manager: string
  readonly dryRun: boolean
  /** Each text once. */
  readonly warn: (text: string) => void
}

/** A field manager has at most 128 characters; without one it is the first word of the user agent. */
const managerOf = (options: WriteOptions, caller: Caller): string =>
  (options.fieldManager || caller.fieldManager || caller.userAgent?.split('/')[0] || 'unknown').slice(0, 128)

export function openSession(parts: ServiceParts, options: WriteOptions, caller: Caller): WriteSession {
  const said = new Set<string>()
  return {
    parts,
    caller,
    options,
    manager: managerOf(options, caller),
    dryRun: options.dryRun === true,
    warn(text) {
      if (said.has(text)) return
      said.add(text)
      caller.warn?.(text)
    },
  }
}
