import {
  type DeepReadonly,
  type EventRecorder,
  hasReason,
  type Kind,
  type KubeObject,
  type Log,
  type ObjectClient,
  type OwnerReference,
  parseApiVersion,
  type ResourceClient,
  type UnstructuredObject,
} from '@continuo/core'
import { type Coordinates, foregroundFinalizer, type GraphNode, type OwnerGraph, orphanFinalizer, type Work } from './owner-graph.ts'
import { finalizerPatch, judge, type OwnerState, referencesPatch } from './verdict.ts'

export interface CollectorParts {
  readonly graph: OwnerGraph
  readonly events: EventRecorder
  readonly log: Log
  /** The served resource of a kind; undefined when it is not served (any longer). */
  readonly kindOf: (apiVersion: string, kind: string) => Kind<UnstructuredObject> | undefined
  /** Queues more work. */
  readonly add: (work: readonly Work[]) => void
}

const absentLimit = 1000

/** Carries out what the graph asks for: looks objects and their owners up as they are, and deletes, trims or releases. */
export class Collector {
  readonly #parts: CollectorParts
  /** uids that are gone for sure, and `namespace/uid` that are not to be found there; the oldest is forgotten first. */
  readonly #absent = new Set<string>()

  constructor(parts: CollectorParts) {
    this.#parts = parts
  }

  /** An object was seen to go. */
  gone(uid: string, namespace?: string): void {
    const key = namespace === undefined ? uid : `${namespace}/${uid}`
    this.#absent.delete(key)
    this.#absent.add(key)
    if (this.#absent.size > absentLimit) this.#absent.delete(this.#absent.values().next().value as string)
  }

  async work({ type, uid }: Work, client: ObjectClient): Promise<void> {
    const node = this.#parts.graph.get(uid)
    if (node === undefined) return
    await (type === 'orphan' ? this.#orphan(node, client) : this.#check(node, client))
  }

  async #check(node: GraphNode, client: ObjectClient): Promise<void> {
    if (node.deleting && !node.foreground) return
    const target = this.#resource(node, client)
    if (target === undefined) return
    const object = await read(target, node)
    if (object === undefined || object.metadata.uid !== node.uid) return this.#vanished(node)
    if (node.foreground) return this.#finishForeground(node, object, target)
    const references = object.metadata.ownerReferences ?? []
    if (references.length === 0) return
    const owners = new Map<string, OwnerState>()
    for (const reference of references) owners.set(reference.uid, await this.#ownerState(reference, object, client))
    const dependents = this.#parts.graph.dependentsOf(node.uid)
    const verdict = judge(object, owners, dependents.length > 0)
    if (verdict.type === 'trim')
      await target.patch(node, {
        type: 'merge',
        body: referencesPatch(
          object,
          references.filter(({ uid }) => !verdict.uids.has(uid)),
        ),
      })
    if (verdict.type !== 'delete') return
    if (verdict.unblock && dependents.some((dependent) => dependent.foreground)) await this.#unblock(object, target)
    this.#parts.log.debug({ kind: node.kind, namespace: node.namespace, name: node.name }, 'deleting an object whose owners are gone')
    await quietly(
      target.delete(node, {
        propagationPolicy: verdict.policy,
        preconditions: { uid: node.uid, ...(object.metadata.resourceVersion && { resourceVersion: object.metadata.resourceVersion }) },
      }),
    )
  }

  /** Nobody has it: whoever named it as an owner is looked at. */
  #vanished(node: GraphNode): void {
    // One that was only named may be somewhere else: each dependent looks for itself.
    this.gone(node.uid, node.observed ? undefined : node.namespace)
    this.#parts.add(this.#parts.graph.forget(node.uid))
  }

  /** All blocking dependents have gone: so may the owner. Otherwise they are looked at. */
  async #finishForeground(node: GraphNode, object: UnstructuredObject, target: ResourceClient<UnstructuredObject>): Promise<void> {
    const blockers = this.#parts.graph.blockersOf(node.uid)
    if (blockers.length === 0) {
      await quietly(target.patch(node, { type: 'merge', body: finalizerPatch(object, foregroundFinalizer) }))
      return
    }
    this.#parts.add(blockers.filter((blocker) => !blocker.foreground).map(({ uid }) => ({ type: 'check', uid })))
  }

  /** In a circle of foreground deletions nobody would ever go: this one holds its owners back no longer. */
  async #unblock(object: UnstructuredObject, target: ResourceClient<UnstructuredObject>): Promise<void> {
    const references = (object.metadata.ownerReferences ?? []).map((reference) => ({ ...reference, blockOwnerDeletion: false }))
    const { resourceVersion: _, ...metadata } = (referencesPatch(object, references) as { metadata: Record<string, unknown> }).metadata
    await quietly(target.patch(locate(object), { type: 'merge', body: { metadata } }))
  }

  async #orphan(node: GraphNode, client: ObjectClient): Promise<void> {
    for (const dependent of this.#parts.graph.dependentsOf(node.uid)) await this.#release(dependent, node.uid, client)
    const target = this.#resource(node, client)
    const object = target === undefined ? undefined : await read(target, node)
    if (target === undefined || object?.metadata.uid !== node.uid || !object.metadata.finalizers?.includes(orphanFinalizer)) return
    await quietly(target.patch(node, { type: 'merge', body: finalizerPatch(object, orphanFinalizer) }))
  }

  async #release(dependent: GraphNode, owner: string, client: ObjectClient): Promise<void> {
    const target = this.#resource(dependent, client)
    const object = target === undefined ? undefined : await read(target, dependent)
    if (target === undefined || object?.metadata.uid !== dependent.uid) return
    const keep = (object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner)
    if (keep.length < (object.metadata.ownerReferences?.length ?? 0))
      await target.patch(dependent, { type: 'merge', body: referencesPatch(object, keep) })
  }

  async #ownerState(reference: DeepReadonly<OwnerReference>, dependent: UnstructuredObject, client: ObjectClient): Promise<OwnerState> {
    const namespace = dependent.metadata.namespace ?? ''
    const kind = this.#parts.kindOf(reference.apiVersion, reference.kind)
    if (kind === undefined) return 'unresolvable'
    if (this.#absent.has(reference.uid) || this.#absent.has(`${namespace}/${reference.uid}`)) return 'absent'
    const known = this.#parts.graph.get(reference.uid)
    if (kind.namespaced && (namespace === '' || (known?.observed === true && known.namespace !== namespace))) {
      const message = `ownerRef [${reference.apiVersion}/${reference.kind}, namespace: ${namespace}, name: ${reference.name}, uid: ${reference.uid}] does not exist in namespace "${namespace}"`
      this.#parts.events.event(dependent, 'Warning', 'OwnerRefInvalidNamespace', message)
      if (namespace === '') return 'unresolvable'
    }
    const owner = await read(client.for(kind), { namespace: kind.namespaced ? namespace : '', name: reference.name })
    if (owner === undefined || owner.metadata.uid !== reference.uid) {
      this.gone(reference.uid, namespace)
      return 'absent'
    }
    const waits = owner.metadata.deletionTimestamp !== undefined && owner.metadata.finalizers?.includes(foregroundFinalizer) === true
    return waits ? 'waiting' : 'solid'
  }

  #resource({ apiVersion, kind, namespace }: Coordinates, client: ObjectClient): ResourceClient<UnstructuredObject> | undefined {
    const found = this.#parts.kindOf(apiVersion, kind)
    // A cluster-scoped object may name an owner that lives in a namespace: nobody knows in which.
    return found === undefined || (found.namespaced && namespace === '') ? undefined : client.for(found)
  }
}

const locate = ({ metadata }: KubeObject) => ({ namespace: metadata.namespace ?? '', name: metadata.name })

async function read(
  target: ResourceClient<UnstructuredObject>,
  at: { readonly namespace: string; readonly name: string },
): Promise<UnstructuredObject | undefined> {
  try {
    return await target.get(at)
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined
    throw error
  }
}

/** It went meanwhile, or was replaced: what was wanted has happened. */
async function quietly(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error
  }
}

/** Group and kind as one text: versions of an owner reference do not matter. */
export const kindId = (apiVersion: string, kind: string): string => `${kind}.${parseApiVersion(apiVersion).group}`
