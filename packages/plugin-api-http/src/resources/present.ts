import type { Clock, ObjectView, ObjectViewList, ServedResource, Subresource } from '@continuo/core'
import { protobufMediaType } from '@continuo/workload'
import type { Wanted } from '../request/negotiate.ts'
import { dress, jsonForm, sendBytes, wantsPlainJson } from '../server/answer.ts'
import type { BlockPool, Piece } from '../server/blocks.ts'
import type { Exchange } from '../server/exchange.ts'
import { allOf, sendPieces } from '../server/write-pieces.ts'
import { listInProtobuf, objectInProtobuf } from './protobuf.ts'
import { partialJson, readIncludeObject, tableChunks } from './table.ts'

export interface Presentation {
  readonly exchange: Exchange
  readonly served: ServedResource
  readonly wanted: Wanted
  readonly clock: Clock
  readonly blocks: BlockPool
  /** What the request is about, when it is not the whole object. */
  readonly subresource?: Subresource | undefined
}

const jsonTextOf = (view: ObjectView): string => Buffer.from(view.encoded('json', (one) => one.json)).toString()

const comma = Buffer.from(',')
const end = Buffer.from(']}\n')

/** The bytes of one object in the wanted form. */
function objectBytes(view: ObjectView, { exchange, served, wanted, clock, subresource }: Presentation): Uint8Array {
  // Kept with the view: an object that is read is likely to be read again.
  if (wanted.as === undefined) return view.encoded('json', (one) => one.json)
  const version = wanted.version as string
  if (wanted.as === 'Table') {
    return Buffer.concat([
      ...tableChunks(
        [view],
        served,
        { resourceVersion: view.resourceVersion },
        { include: readIncludeObject(exchange.query), version, now: clock.now(), subresource },
      ),
    ])
  }
  return partialJson(view, version)
}

/** Answers with one object. */
export function sendObject(presentation: Presentation, view: ObjectView, status = 200): void {
  const { exchange, wanted } = presentation
  if (exchange.audit?.wantsResponse === true) exchange.audit.answered(jsonTextOf(view))
  const { contentType, bytes } =
    wanted.mediaType === protobufMediaType
      ? { contentType: protobufMediaType, bytes: objectInProtobuf(view, wanted.version) }
      : dress(exchange, wanted, objectBytes(view, presentation))
  sendBytes(exchange, status, contentType, bytes)
}

const listMetadata = (list: ObjectViewList): Record<string, unknown> => ({
  resourceVersion: list.resourceVersion,
  ...(list.continue === undefined || list.continue === '' ? {} : { continue: list.continue }),
  ...(list.remainingItemCount === undefined ? {} : { remainingItemCount: list.remainingItemCount }),
})

/** What a list says of itself. */
function listHead(list: ObjectViewList, { definition, apiVersion }: ServedResource, wanted: Wanted) {
  return wanted.as === 'PartialObjectMetadataList'
    ? { kind: wanted.as, apiVersion: `meta.k8s.io/${wanted.version}`, metadata: listMetadata(list) }
    : { kind: definition.listKind ?? `${definition.kind}List`, apiVersion, metadata: listMetadata(list) }
}

function* listChunks(list: ObjectViewList, served: ServedResource, wanted: Wanted): Generator<Piece> {
  const partial = wanted.as === 'PartialObjectMetadataList' ? (wanted.version as string) : undefined
  yield Buffer.from(`${JSON.stringify(listHead(list, served, wanted)).slice(0, -1)},"items":[`)
  for (let i = 0; i < list.items.length; i++) {
    const view = list.items[i] as ObjectView
    if (i > 0) yield comma
    yield partial === undefined ? view : partialJson(view, partial)
  }
  yield end
}

/** Answers with a list. Objects' bytes go out as they lie in the cache, in pieces and no faster than the client reads. */
export async function sendList(presentation: Presentation, list: ObjectViewList): Promise<void> {
  const { exchange, served, wanted, clock, blocks } = presentation
  if (exchange.audit?.wantsResponse === true)
    exchange.audit.answered(Buffer.from(await allOf(listChunks(list, served, jsonForm), clock, blocks)).toString())
  if (wanted.mediaType === protobufMediaType) {
    const body = await listInProtobuf(list.items, listHead(list, served, wanted), wanted.version, clock)
    return sendPieces(exchange, 200, protobufMediaType, body, clock, blocks)
  }
  const pieces =
    wanted.as === 'Table'
      ? tableChunks(list.items, served, listMetadata(list), {
          include: readIncludeObject(exchange.query),
          version: wanted.version as string,
          now: clock.now(),
        })
      : listChunks(list, served, wanted)
  if (wantsPlainJson(exchange, wanted)) return sendPieces(exchange, 200, 'application/json', pieces, clock, blocks)
  const { contentType, bytes } = dress(exchange, wanted, await allOf(pieces, clock, blocks))
  sendBytes(exchange, 200, contentType, bytes)
}
