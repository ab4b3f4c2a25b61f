import { ApiError } from '../errors/api-error.ts'
import { formatApiVersion, type GroupVersionKind } from '../objects/names.ts'
import type { UnstructuredObject } from '../objects/object.ts'
import type { ResourceStrategy } from '../resources/resource.ts'
import { applyDefaults } from '../schema/apply-defaults.ts'
import { isRecord } from '../schema/json-value.ts'
import { prune } from '../schema/prune.ts'
import type { Schema } from '../schema/schema.ts'
import { strictDecodingError } from '../schema/strict-decoding.ts'
import { explainFault } from './explain-fault.ts'
import type { WriteOptions } from './options.ts'
import type { Target } from './target.ts'

/** What a body is decoded as: the resource's kind, or that of a subresource with one of its own. */
export interface BodyShape {
  readonly gvk: GroupVersionKind
  readonly schema: Schema | undefined
  readonly strategy: ResourceStrategy | undefined
}

export function shapeOf({ served, subresource }: Target): BodyShape {
  const own =
    subresource === undefined ||
    (subresource.type === 'object' && subresource.schema === undefined && subresource.kind.kind === served.gvk.kind)
  if (own) return { gvk: served.gvk, schema: served.schema, strategy: served.definition.strategy }
  return { gvk: subresource.kind, schema: subresource.type === 'connect' ? undefined : subresource.schema, strategy: undefined }
}

/**
 * Makes a body fit to be worked with: checks its kind, drops unknown fields (and says so as the request wants it), fills in defaults.
 * `body` must be private to the caller; what is returned replaces it. Throws 400.
 */
export function decodeBody(
  shape: BodyShape,
  body: UnstructuredObject,
  options: WriteOptions,
  warn: (text: string) => void,
): UnstructuredObject {
  checkKind(shape.gvk, body)
  let object = body
  const faults = (options.duplicateFields ?? []).map((path) => `duplicate field ${JSON.stringify(path)}`)
  if (shape.schema !== undefined) {
    const { value, dropped } = prune(shape.schema, body)
    object = value
    faults.push(...dropped.map((path) => `unknown field ${JSON.stringify(path)}`))
  }
  if (faults.length > 0) report(shape.gvk, faults, options, warn)
  dropNothings(object.metadata as unknown as Record<string, unknown>)
  if (shape.schema !== undefined) applyDefaults(shape.schema, object)
  try {
    shape.strategy?.default?.(object)
  } catch (error) {
    throw explainFault(error, shape.gvk, shape.schema, object)
  }
  return object
}

/** Members of metadata that say nothing when they are empty: a patch that takes the last annotation leaves none. */
const collections = new Set(['labels', 'annotations', 'finalizers', 'ownerReferences'])

function dropNothings(metadata: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(metadata)) {
    const isEmpty = collections.has(key) && typeof value === 'object' && Object.keys(value ?? {}).length === 0
    if (value === null || isEmpty) delete metadata[key]
  }
}

/** A value of a body in a message; what is no text may have no way to become one. */
export const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 200)

function checkKind(gvk: GroupVersionKind, body: UnstructuredObject): void {
  if (!isRecord(body)) throw new ApiError('BadRequest', 'the body of the request is not an object')
  const apiVersion = formatApiVersion(gvk)
  if (body.apiVersion === undefined || body.apiVersion === '') body.apiVersion = apiVersion
  if (body.kind === undefined || body.kind === '') body.kind = gvk.kind
  if (body.apiVersion !== apiVersion) {
    throw new ApiError(
      'BadRequest',
      `the API version in the data (${shown(body.apiVersion)}) does not match the expected API version (${apiVersion})`,
    )
  }
  if (body.kind !== gvk.kind)
    throw new ApiError('BadRequest', `the kind in the data (${shown(body.kind)}) does not match the expected kind (${gvk.kind})`)
  if (body.metadata === undefined || body.metadata === null) body.metadata = { name: '' }
  if (!isRecord(body.metadata)) throw new ApiError('BadRequest', 'metadata is not an object')
}

function report(gvk: GroupVersionKind, faults: readonly string[], options: WriteOptions, warn: (text: string) => void): void {
  const mode = options.fieldValidation ?? 'Warn'
  if (mode === 'Strict') throw strictDecodingError(gvk.kind, gvk.version, faults)
  if (mode === 'Warn') for (const fault of faults) warn(fault)
}

/** Puts the request's namespace and name into the body, or refuses a body that names others. Throws 400. */
export function checkIdentity(target: Target, body: UnstructuredObject): void {
  const { metadata } = body
  if (!target.served.definition.namespaced) {
    if (metadata.namespace === '') delete metadata.namespace
  } else if (!metadata.namespace) metadata.namespace = target.namespace
  else if (target.namespace !== '' && metadata.namespace !== target.namespace) {
    throw new ApiError('BadRequest', `the namespace of the provided object does not match the namespace sent on the request`)
  }
  if (target.name === '') return
  if (!metadata.name) metadata.name = target.name
  else if (metadata.name !== target.name) {
    throw new ApiError('BadRequest', `the name of the object (${metadata.name}) does not match the name on the URL (${target.name})`)
  }
}
