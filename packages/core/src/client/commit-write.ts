import type { CompanionWrite } from '../admission/admission.ts'
import type { AdmissionCondition, AdmissionRun } from '../admission/admission-run.ts'
import { formatTime } from '../clock/clock.ts'
import { ApiError } from '../errors/api-error.ts'
import { mutableCopy } from '../objects/mutable-copy.ts'
import { formatApiVersion } from '../objects/names.ts'
import type { ObjectKey, UnstructuredObject } from '../objects/object.ts'
import type { ServedResource } from '../resources/registry.ts'
import type { Kind } from '../resources/resource.ts'
import { claimKey, objectKey } from '../resources/storage-key.ts'
import { sealText } from '../resources/value-envelope.ts'
import type { CommitResult, StoreCondition, StoreTransaction, StoreWrite } from '../store/store.ts'
import { isStoreError } from '../store/store-error.ts'
import { notServed } from './api-errors.ts'
import type { Caller } from './caller.ts'
import { fenceCondition } from './fence-condition.ts'
import { convertObjects } from './prepare-views.ts'
import type { ServiceParts } from './service-parts.ts'
import { storedJson } from './stored-json.ts'

/** The write of the request itself. */
export interface OwnWrite {
  readonly key: string
  /** Revision that the object must be at; `0` for absent. */
  readonly expected: number
  /** Sealed bytes, or `undefined` to delete. */
  readonly value: Uint8Array | undefined
  /** True for a writer whose turn it is: it goes first, and who comes next sees what it wrote. */
  readonly inTurn: boolean
}

export type CommitOutcome =
  | { readonly type: 'committed'; readonly revision: number }
  /** The object is at another version, or no longer absent. */
  | { readonly type: 'stale'; readonly revision: number; readonly key: string; readonly exists: boolean }
  /** Something else that the write depends on changed: admission must decide anew. */
  | { readonly type: 'overtaken'; readonly revision: number; readonly key: string }

/** The bytes of an object as they are stored, in the storage version. Throws 413 above the limit. */
export async function sealObject(
  parts: ServiceParts,
  served: ServedResource,
  object: UnstructuredObject,
  key: string,
): Promise<Uint8Array> {
  const { definition } = served
  const storageApiVersion = formatApiVersion({ group: definition.group, version: definition.storageVersion })
  const [stored] = object.apiVersion === storageApiVersion ? [object] : await convertObjects(definition, [object], storageApiVersion)
  const sealed = sealText(storedJson(stored as UnstructuredObject), key, parts.views.transform)
  const { maxObjectBytes } = parts.limits
  if (sealed.length > maxObjectBytes) {
    throw new ApiError(
      'RequestEntityTooLarge',
      `Request entity too large: ${definition.kind} ${JSON.stringify(object.metadata.name)} has ${sealed.length} bytes, limit is ${maxObjectBytes}`,
    )
  }
  return sealed
}

/** Commits a write with everything that admission and the caller's fence add to it, all or nothing. Throws 409 for a lost fence. */
export async function commitWrite(parts: ServiceParts, caller: Caller, run: AdmissionRun, own: OwnWrite): Promise<CommitOutcome> {
  const conditions = new Map<string, number>([[own.key, own.expected]])
  const writes: StoreWrite[] = [
    own.value === undefined ? { type: 'delete', key: own.key } : { type: 'put', key: own.key, value: own.value },
  ]
  for (const condition of run.conditions) expect(conditions, keyOfKind(parts, condition.kind, condition.key), revisionOf(parts, condition))
  for (const companion of run.companions) writes.push(await companionWrite(parts, companion, conditions))
  // Newcomers would overtake those who wait for their turn again and again.
  const taken = own.inTurn ? undefined : [...conditions.keys()].find((key) => parts.turns.isTaken(key))
  if (taken !== undefined) return { type: 'overtaken', revision: parts.cache.revision, key: taken }
  const fenceKey = addFence(parts, caller, conditions)
  const transaction: StoreTransaction = {
    conditions: [...conditions].map(([key, modRevision]): StoreCondition => ({ key, modRevision })),
    writes,
  }
  const result = await commitSurely(parts, transaction, own)
  if (result.committed) {
    if (own.inTurn) await parts.cache.reached(result.revision)
    return { type: 'committed', revision: result.revision }
  }
  if (fenceKey !== undefined && result.failed.some(({ key }) => key === fenceKey)) {
    throw new ApiError(
      'Conflict',
      `Operation cannot be fulfilled: ${fenceText(caller)} has moved on, so whoever wrote this no longer leads; nothing was written`,
    )
  }
  const stale = result.failed.find(({ key }) => key === own.key)
  if (stale !== undefined) return { type: 'stale', revision: result.revision, key: own.key, exists: stale.current !== undefined }
  return { type: 'overtaken', revision: result.revision, key: result.failed[0]?.key ?? own.key }
}

/** When the store does not know whether it committed, reading the object back tells: its bytes are ours or they are not. */
async function commitSurely(parts: ServiceParts, transaction: StoreTransaction, own: OwnWrite): Promise<CommitResult> {
  try {
    return await parts.store.commit(transaction)
  } catch (error) {
    if (!isStoreError(error, 'STORE_OUTCOME_UNKNOWN') || own.value === undefined) throw error
    const { entry } = await parts.store.get(own.key)
    if (entry === undefined || entry.modRevision === own.expected || Buffer.compare(entry.value, own.value) !== 0) throw error
    return { committed: true, revision: entry.modRevision }
  }
}

/** Adds a condition; two that contradict each other can never hold, and the commit will say so. */
function expect(conditions: Map<string, number>, key: string, revision: number): void {
  const other = conditions.get(key)
  if (other === undefined) conditions.set(key, revision)
  else if (other !== revision) throw new ApiError('InternalError', `admission wants ${key} at revision ${revision} and at ${other}`)
}

function servedKind(parts: ServiceParts, kind: Kind): ServedResource {
  const served = parts.registry.resolve(kind)
  if (served === undefined) throw notServed()
  return served
}

const keyOfKind = (parts: ServiceParts, kind: Kind, key: ObjectKey): string =>
  objectKey(servedKind(parts, kind).definition, kind.namespaced ? key.namespace : '', key.name)

const revisionOf = (parts: ServiceParts, { resourceVersion }: Pick<AdmissionCondition, 'resourceVersion'>): number =>
  parts.views.scale.parse(resourceVersion)

async function companionWrite(parts: ServiceParts, write: CompanionWrite, conditions: Map<string, number>): Promise<StoreWrite> {
  switch (write.type) {
    case 'claim': {
      const key = claimKey(write.key)
      expect(conditions, key, 0)
      return { type: 'put', key, value: Buffer.from(write.value) }
    }
    case 'release':
      return { type: 'delete', key: claimKey(write.key) }
    case 'delete': {
      const key = keyOfKind(parts, write.kind, write.key)
      expect(conditions, key, parts.views.scale.parse(write.resourceVersion))
      return { type: 'delete', key }
    }
    default: {
      const served = servedKind(parts, write.kind)
      const object = mutableCopy(write.object) as UnstructuredObject
      const key = keyOfKind(parts, write.kind, { namespace: object.metadata.namespace ?? '', name: object.metadata.name })
      if (write.type === 'create') {
        object.metadata.uid ??= parts.random.uuid()
        object.metadata.creationTimestamp ??= formatTime(parts.clock.now())
      }
      expect(conditions, key, write.type === 'create' ? 0 : parts.views.scale.parse(object.metadata.resourceVersion ?? ''))
      return { type: 'put', key, value: await sealObject(parts, served, object, key) }
    }
  }
}

function addFence(parts: ServiceParts, { fence }: Caller, conditions: Map<string, number>): string | undefined {
  if (fence === undefined) return undefined
  const { key, modRevision } = fenceCondition(parts.registry, parts.views.scale, fence)
  // The write of the epoch itself, by its own holder, is conditioned on its version anyway.
  if (!conditions.has(key)) conditions.set(key, modRevision)
  return key
}

const fenceText = ({ fence }: Caller): string => `the epoch ${fence?.resource} ${JSON.stringify(`${fence?.namespace}/${fence?.name}`)}`
