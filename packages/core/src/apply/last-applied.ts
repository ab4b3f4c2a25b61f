import { ContinuoError } from '../errors/continuo-error.ts'
import type { KubeObject } from '../objects/object.ts'
import { canonicalJson, isRecord } from '../schema/json-value.ts'
import { parseJson } from '../schema/parse-json.ts'
import type { Schema } from '../schema/schema.ts'
import { compareFields } from './compare-fields.ts'
import { appliedFields } from './extract-fields.ts'
import { differenceFields, emptyFields, type FieldSet, withoutSubtrees } from './field-set.ts'

/** Where client-side `kubectl apply` keeps what it applied last. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** The manager name of `kubectl apply --server-side`; only this one takes over from client-side apply. */
export const kubectlApplier = 'kubectl'

const maxAnnotations = 256 * 1024

const readAnnotation = (object: Readonly<KubeObject>): string => object.metadata.annotations?.[lastAppliedAnnotation] ?? ''

/**
 * The fields that client-side apply set and that still have the value it gave them: kubectl may take these over without a conflict.
 * The empty set when there is no readable annotation.
 */
export function fieldsOfLastApplied(schema: Schema | undefined, live: Readonly<KubeObject>): FieldSet {
  const text = readAnnotation(live)
  if (text === '') return emptyFields
  let lastApplied: unknown
  try {
    lastApplied = parseJson(text, { duplicates: false }).value
  } catch (error) {
    if (error instanceof ContinuoError) return emptyFields
    throw error
  }
  if (!isRecord(lastApplied)) return emptyFields
  const { changed, removed } = compareFields(schema, lastApplied, live)
  return withoutSubtrees(differenceFields(appliedFields(schema, lastApplied), changed), removed)
}

const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

/** JSON as Go writes it, byte for byte, so that a diff shows no change where there is none. */
const likeKubectl = (object: object): string =>
  `${canonicalJson(object).replace(/[<>&\u2028\u2029]/g, (character) => escapes[character] as string)}\n`

/**
 * The object with the annotation brought up to date with an applied configuration, if it has one:
 * a later client-side apply must not undo what was applied on the server. Dropped when annotations would grow too large.
 */
export function refreshLastApplied<T extends KubeObject>(object: T, config: Readonly<KubeObject>): T {
  if (readAnnotation(object) === '') return object
  const { managedFields: _fields, annotations, ...metadata } = config.metadata
  const { [lastAppliedAnnotation]: _old, ...others } = annotations ?? {}
  const text = likeKubectl({ ...config, metadata: annotations === undefined ? metadata : { ...metadata, annotations: others } })
  const kept = { ...object.metadata.annotations, [lastAppliedAnnotation]: text }
  if (Object.entries(kept).reduce((size, [key, value]) => size + key.length + value.length, 0) > maxAnnotations)
    delete (kept as Record<string, string>)[lastAppliedAnnotation]
  return { ...object, metadata: { ...object.metadata, annotations: kept } }
}
