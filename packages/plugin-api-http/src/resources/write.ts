import {
  ApiError,
  type Caller,
  type ObjectRef,
  type ObjectService,
  type Patch,
  type UnstructuredObject,
  type WriteOptions,
} from '@continuo/core'
import { continuoHeaders } from '@continuo/workload'
import { readDeleteOptions, readFlag, readListOptions, readWriteOptions } from '../request/query-options.ts'
import { jsonForm, sendJson } from '../server/answer.ts'
import { type BodyLimits, readBody } from '../server/body.ts'
import { asObject, type DecodedBody, type Decoding, decodeAnyBody, mediaTypeOf } from './body-decoder.ts'
import type { Operation } from './operation.ts'
import { type Presentation, sendList, sendObject } from './present.ts'

export interface WriteContext extends Presentation {
  readonly service: ObjectService
  readonly limits: BodyLimits
  readonly decoding: Decoding
  readonly ref: ObjectRef
  readonly caller: Caller
  readonly operation: Operation
}

const patchTypes = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
} as const

type PatchType = (typeof patchTypes)[keyof typeof patchTypes]

const bodyOf = async (context: WriteContext): Promise<DecodedBody> =>
  decode(context, await readBody(context.exchange, context.limits, context.clock), context.exchange.header('content-type'))

/** The body as a value; the audit log gets its copy before anything changes it. */
async function decode({ exchange, decoding, operation }: WriteContext, bytes: Buffer, type: string | undefined): Promise<DecodedBody> {
  const body = await decodeAnyBody(bytes, type, decoding)
  const { audit } = exchange
  if (audit !== undefined) {
    const { name } = (body.value as { metadata?: { name?: unknown } } | null)?.metadata ?? {}
    if (operation.type === 'create' && typeof name === 'string') audit.named(name)
    if (audit.wantsRequest) audit.sent(body.value)
  }
  return body
}

/** Kind of the body: the subresource's own, if it has one. */
const kindOf = (context: WriteContext): string => context.operation.subresource?.kind.kind ?? context.served.gvk.kind

const withDuplicates = (options: WriteOptions, body: DecodedBody): WriteOptions =>
  body.duplicates.length === 0 ? options : { ...options, duplicateFields: body.duplicates }

async function create(context: WriteContext): Promise<void> {
  const options = readWriteOptions(context.exchange.query, 'CreateOptions')
  const body = await bodyOf(context)
  const result = await context.service.create(
    context.ref,
    asObject(body.value, kindOf(context)),
    withDuplicates(options, body),
    context.caller,
  )
  sendObject(context, result.view, 201)
}

async function update(context: WriteContext): Promise<void> {
  const options = readWriteOptions(context.exchange.query, 'UpdateOptions')
  const body = await bodyOf(context)
  const result = await context.service.update(
    context.ref,
    asObject(body.value, kindOf(context)),
    withDuplicates(options, body),
    context.caller,
  )
  sendObject(context, result.view, result.created ? 201 : 200)
}

function patchTypeOf(context: WriteContext): PatchType {
  const type = patchTypes[mediaTypeOf(context.exchange.header('content-type')) as keyof typeof patchTypes] as PatchType | undefined
  if (type === undefined || (type === 'strategic' && context.served.definition.custom === true)) {
    const supported = Object.keys(patchTypes).filter(
      (name) => context.served.definition.custom !== true || name !== 'application/strategic-merge-patch+json',
    )
    throw new ApiError(
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${supported.join(', ')}`,
    )
  }
  return type
}

async function patch(context: WriteContext): Promise<void> {
  const { exchange, limits, ref } = context
  const type = patchTypeOf(context)
  const options = readWriteOptions(exchange.query, 'PatchOptions')
  const force = exchange.query !== undefined && readFlag(exchange.query, 'force')
  if (force && type !== 'apply') {
    throw new ApiError('Invalid', 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch', {
      group: 'meta.k8s.io',
      kind: 'PatchOptions',
      causes: [{ reason: 'FieldValueForbidden', field: 'force', message: 'Forbidden: may not be specified for non-apply patch' }],
    })
  }
  const bytes = await readBody(exchange, limits, context.clock)
  const body = await decode(context, bytes, type === 'apply' ? 'application/yaml' : 'application/json')
  if (type === 'apply' && options.fieldManager === undefined) {
    throw new ApiError('Invalid', 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch', {
      group: 'meta.k8s.io',
      kind: 'PatchOptions',
      causes: [{ reason: 'FieldValueRequired', field: 'fieldManager', message: 'Required value: is required for apply patch' }],
    })
  }
  const value: Patch =
    type === 'apply' ? { type, body: withName(asObject(body.value, kindOf(context)), ref.name), force } : { type, body: body.value }
  const result = await context.service.patch(ref, value, withDuplicates(options, body), context.caller)
  sendObject(context, result.view, result.created ? 201 : 200)
}

/** An applied configuration may leave its name to the URL. */
const withName = (configuration: UnstructuredObject, name: string): UnstructuredObject => {
  configuration.metadata ??= { name }
  return configuration
}

const deleteBody = async (context: WriteContext): Promise<unknown> => {
  if (!context.exchange.hasBody) return undefined
  const bytes = await readBody(context.exchange, context.limits, context.clock)
  return bytes.length === 0 ? undefined : (await decode(context, bytes, context.exchange.header('content-type'))).value
}

async function remove(context: WriteContext): Promise<void> {
  const { exchange, served } = context
  const options = readDeleteOptions(exchange.query, await deleteBody(context))
  const result = await context.service.delete(context.ref, options, context.caller)
  if (!result.deleted || exchange.header(continuoHeaders.returnDeleted) !== undefined) return sendObject(context, result.view)
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: context.ref.name,
      ...(served.gvr.group === '' ? {} : { group: served.gvr.group }),
      kind: served.gvr.resource,
      uid: result.view.uid,
    },
  }
  if (exchange.audit?.wantsResponse === true) exchange.audit.answered(JSON.stringify(status))
  sendJson(exchange, 200, context.wanted.as === undefined ? context.wanted : jsonForm, status)
}

async function removeCollection(context: WriteContext): Promise<void> {
  const { exchange } = context
  const list = readListOptions(exchange.query, exchange.signal)
  const options = readDeleteOptions(exchange.query, await deleteBody(context))
  const removed = await context.service.deleteCollection(context.ref, list, options, context.caller)
  await sendList({ ...context, wanted: context.wanted.as === 'PartialObjectMetadata' ? jsonForm : context.wanted }, removed)
}

/** Carries out a request that changes something, and answers it. Throws ApiError. */
export function runWrite(context: WriteContext): Promise<void> {
  switch (context.operation.type) {
    case 'create':
      return create(context)
    case 'update':
      return update(context)
    case 'patch':
      return patch(context)
    case 'delete':
      return remove(context)
    default:
      return removeCollection(context)
  }
}
