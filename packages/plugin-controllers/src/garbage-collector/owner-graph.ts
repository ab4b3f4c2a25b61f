import type { DeepReadonly, KubeObject, OwnerReference } from '@continuo/core'

export const orphanFinalizer = 'orphan'
export const foregroundFinalizer = 'foregroundDeletion'

/** Where an object is to be found. */
export interface Coordinates {
  readonly apiVersion: string
  readonly kind: string
  /** Empty for cluster-scoped objects. */
  readonly namespace: string
  readonly name: string
}

/** One object as the collector knows it, or one that others name as their owner and that was never seen. */
export interface GraphNode extends Coordinates {
  readonly uid: string
  /** Seen itself, and not only named by a dependent. */
  readonly observed: boolean
  readonly owners: readonly DeepReadonly<OwnerReference>[]
  readonly deleting: boolean
  /** Waits for its dependents to go first. */
  readonly foreground: boolean
  /** Waits for its dependents to be let go. */
  readonly orphaning: boolean
}

/** An object to look at again. */
export type Work = { readonly type: 'check' | 'orphan'; readonly uid: string }

const noDependents: ReadonlySet<string> = new Set()

/**
 * Who depends on whom, by uid, as the watches tell it. Pure: each change says what has to be looked at.
 * Holds one entry for each object that owns or is owned, and one for each owner that was named.
 */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>()
  readonly #dependents = new Map<string, Set<string>>()

  get size(): number {
    return this.#nodes.size
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid)
  }

  dependentsOf(uid: string): readonly GraphNode[] {
    return [...(this.#dependents.get(uid) ?? noDependents)].flatMap((dependent) => this.#nodes.get(dependent) ?? [])
  }

  /** Dependents that hold back a foreground deletion of the owner. */
  blockersOf(uid: string): readonly GraphNode[] {
    // One that owns itself holds nobody back.
    return this.dependentsOf(uid).filter(
      (dependent) => dependent.uid !== uid && dependent.owners.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
    )
  }

  /** Everything that may be undone: owners that were never seen, objects that name one of those, and deletions under way. */
  unsettled(): readonly Work[] {
    const work: Work[] = []
    for (const node of this.#nodes.values()) {
      if (node.orphaning) work.push({ type: 'orphan', uid: node.uid })
      const waits =
        node.foreground ||
        !node.observed ||
        node.owners.some(({ uid }) => this.#nodes.get(uid)?.observed !== true || this.#nodes.get(uid)?.foreground === true)
      if (waits) work.push({ type: 'check', uid: node.uid })
    }
    return work
  }

  /** An object was added or changed. */
  observe(object: DeepReadonly<KubeObject>): readonly Work[] {
    const next = nodeOf(object)
    const known = this.#nodes.get(next.uid)
    const work: Work[] = []
    this.#link(next, known, work)
    this.#nodes.set(next.uid, next)
    if (next.orphaning && known?.orphaning !== true) work.push({ type: 'orphan', uid: next.uid })
    if (next.foreground && known?.foreground !== true) {
      for (const dependent of this.dependentsOf(next.uid)) work.push({ type: 'check', uid: dependent.uid })
      work.push({ type: 'check', uid: next.uid })
    }
    return work
  }

  /** An object is gone: those that named it as an owner are to be looked at, and owners that waited for it. */
  forget(uid: string): readonly Work[] {
    const known = this.#nodes.get(uid)
    if (known === undefined) return []
    const work: Work[] = this.dependentsOf(uid).map((dependent) => ({ type: 'check', uid: dependent.uid }))
    for (const owner of known.owners) {
      this.#unlink(owner.uid, uid)
      if (this.#nodes.get(owner.uid)?.foreground === true) work.push({ type: 'check', uid: owner.uid })
    }
    this.#nodes.delete(uid)
    return work
  }

  #link(next: GraphNode, known: GraphNode | undefined, work: Work[]): void {
    for (const before of known?.owners ?? []) {
      if (next.owners.some(({ uid }) => uid === before.uid)) continue
      this.#unlink(before.uid, next.uid)
      if (this.#nodes.get(before.uid)?.foreground === true) work.push({ type: 'check', uid: before.uid })
    }
    for (const owner of next.owners) {
      const dependents = this.#dependents.get(owner.uid) ?? new Set()
      this.#dependents.set(owner.uid, dependents)
      const isNew = !dependents.has(next.uid)
      dependents.add(next.uid)
      const parent = this.#nodes.get(owner.uid)
      if (parent === undefined) {
        // Nobody has seen it yet: it is looked up, and found to be absent or simply not watched yet.
        this.#nodes.set(owner.uid, namedOwner(owner, next.namespace))
        work.push({ type: 'check', uid: owner.uid })
      } else if (isNew && (!parent.observed || misplaced(parent, owner, next.namespace))) work.push({ type: 'check', uid: next.uid })
      else if (parent.foreground && (isNew || unblocks(known, next, owner.uid)))
        work.push({ type: 'check', uid: isNew ? next.uid : owner.uid })
    }
  }

  #unlink(owner: string, dependent: string): void {
    const dependents = this.#dependents.get(owner)
    dependents?.delete(dependent)
    if (dependents?.size !== 0) return
    this.#dependents.delete(owner)
    if (this.#nodes.get(owner)?.observed === false) this.#nodes.delete(owner)
  }
}

/** The object with the owner's uid is not where the reference says. */
const misplaced = (parent: GraphNode, owner: DeepReadonly<OwnerReference>, namespace: string): boolean =>
  parent.name !== owner.name || parent.kind !== owner.kind || (parent.namespace !== '' && parent.namespace !== namespace)

const unblocks = (known: GraphNode | undefined, next: GraphNode, owner: string): boolean => {
  const blocks = (node: GraphNode | undefined): boolean =>
    node?.owners.some(({ uid, blockOwnerDeletion }) => uid === owner && blockOwnerDeletion === true) === true
  return blocks(known) && !blocks(next)
}

const nodeOf = ({ apiVersion, kind, metadata }: DeepReadonly<KubeObject>): GraphNode => {
  const deleting = metadata.deletionTimestamp !== undefined
  return {
    apiVersion,
    kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid ?? '',
    observed: true,
    owners: metadata.ownerReferences ?? [],
    deleting,
    foreground: deleting && (metadata.finalizers?.includes(foregroundFinalizer) ?? false),
    orphaning: deleting && (metadata.finalizers?.includes(orphanFinalizer) ?? false),
  }
}

const namedOwner = ({ apiVersion, kind, name, uid }: DeepReadonly<OwnerReference>, namespace: string): GraphNode => ({
  apiVersion,
  kind,
  name,
  uid,
  namespace,
  observed: false,
  owners: [],
  deleting: false,
  foreground: false,
  orphaning: false,
})
