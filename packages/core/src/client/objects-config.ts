import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isRecord } from '../schema/json-value.ts'

/** Configuration of the `objects` slot. Every field is optional. */
export interface ObjectsConfig {
  /** How long a replaced version of an object stays readable, in seconds. Default 300. */
  readonly compactionRetentionSeconds: number
  /** Bytes of one object as JSON. Default 1,572,864. */
  readonly maxObjectBytes: number
  /** Budget in bytes for decoded objects and encodings that the cache keeps beside the stored bytes. Default 16,777,216. */
  readonly derivedBytes: number
  /** Objects that are written anew in a second, at most, when a key is rotated or a storage version moves. Default 100. */
  readonly rewritesPerSecond: number
}

const defaults: ObjectsConfig = {
  compactionRetentionSeconds: 300,
  maxObjectBytes: 1_572_864,
  derivedBytes: 16_777_216,
  rewritesPerSecond: 100,
}

function read(value: unknown): StandardSchemaV1.Result<ObjectsConfig> {
  const given = value ?? {}
  if (!isRecord(given)) return { issues: [{ message: 'must be a map' }] }
  const issues: StandardSchemaV1.Issue[] = []
  for (const [key, number] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, key)) issues.push({ message: `is unknown; known are ${Object.keys(defaults).join(', ')}`, path: [key] })
    else if (!Number.isSafeInteger(number) || (number as number) < 1)
      issues.push({ message: 'must be a whole number above 0', path: [key] })
  }
  return issues.length > 0 ? { issues } : { value: { ...defaults, ...given } as ObjectsConfig }
}

/** Checks the configuration and fills in the defaults. */
export const objectsConfig: StandardSchemaV1<unknown, ObjectsConfig> = { '~standard': { version: 1, vendor: 'continuo', validate: read } }
