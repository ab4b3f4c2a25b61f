import { controllerOf, type DeepReadonly, formatKey, keyOf } from '@continuo/core'
import type { ClusterSnapshot, Node, Pod } from '@continuo/workload'
import { type NodeInfo, nodeInfo, type PlacedPod, placedPod, withNode, withoutPod, withPod } from './node-info.ts'

/** A snapshot with what only the scheduler's own rules use. */
export interface CacheSnapshot extends ClusterSnapshot {
  readonly nodes: readonly NodeInfo[]
  node(name: string): NodeInfo | undefined
  /** Number of pods of this controller on each node. Live: it may be newer than the snapshot. */
  ownedBy(uid: string): ReadonlyMap<string, number>
  /** Nodes with a pod that keeps others away by required anti-affinity. Live, like the counts. */
  nodesWithAntiAffinity(): Iterable<string>
}

interface Placement {
  readonly nodeName: string
  readonly placed: PlacedPod
  readonly assumed: boolean
}

const nobody: ReadonlyMap<string, number> = new Map()

/**
 * The cluster as the scheduler believes it to be: what informers said, and pods that were decided and not yet confirmed.
 * A snapshot costs a copy of the list of nodes; a change of a pod costs its node. Holds exactly the cluster's nodes and placed pods.
 */
export class ClusterCache {
  #nodes: NodeInfo[] = []
  #positions = new Map<string, number>()
  /** Nodes that have pods and are not known: placed pods may arrive before their node, or outlive it. */
  readonly #strangers = new Map<string, NodeInfo>()
  readonly #pods = new Map<string, Placement>()
  readonly #owners = new Map<string, Map<string, number>>()
  readonly #repelling = new Map<string, number>()
  #generation = 0
  #snapshot: CacheSnapshot | undefined

  setNode(node: DeepReadonly<Node>): void {
    const { name } = node.metadata
    const known = this.#info(name) ?? nodeInfo(name, undefined, [])
    this.#strangers.delete(name)
    const position = this.#positions.get(name)
    if (position === undefined) {
      this.#positions = new Map(this.#positions).set(name, this.#nodes.length)
      this.#nodes.push(withNode(known, node))
    } else this.#nodes[position] = withNode(known, node)
    this.#changed()
  }

  removeNode(name: string): void {
    const position = this.#positions.get(name)
    if (position === undefined) return
    const removed = this.#nodes[position] as NodeInfo
    if (removed.placed.length > 0) this.#strangers.set(name, nodeInfo(name, undefined, removed.placed))
    this.#nodes = this.#nodes.filter((_, index) => index !== position)
    this.#positions = new Map(this.#nodes.map((info, index) => [info.name, index]))
    this.#changed()
  }

  /** A placed pod as the API has it; confirms one that was assumed. */
  setPod(pod: DeepReadonly<Pod>): void {
    const nodeName = pod.spec?.nodeName
    if (nodeName !== undefined && nodeName !== '') this.#place(pod, nodeName, false)
  }

  /** Counts a pod on the node before the API has said so. */
  assume(pod: DeepReadonly<Pod>, nodeName: string): void {
    this.#place(pod, nodeName, true)
  }

  /** Takes back {@link ClusterCache.assume} unless the API has confirmed it meanwhile. */
  forget(pod: DeepReadonly<Pod>): void {
    const key = formatKey(keyOf(pod))
    if (this.#pods.get(key)?.assumed === true) this.#take(key)
  }

  removePod(pod: DeepReadonly<Pod>): void {
    this.#take(formatKey(keyOf(pod)))
  }

  isAssumed(pod: DeepReadonly<Pod>): boolean {
    return this.#pods.get(formatKey(keyOf(pod)))?.assumed === true
  }

  get size(): { readonly nodes: number; readonly pods: number } {
    return { nodes: this.#nodes.length, pods: this.#pods.size }
  }

  snapshot(): CacheSnapshot {
    this.#snapshot ??= this.#makeSnapshot(this.#nodes.slice(), this.#positions, this.#generation)
    return this.#snapshot
  }

  #makeSnapshot(nodes: readonly NodeInfo[], positions: ReadonlyMap<string, number>, generation: number): CacheSnapshot {
    return {
      nodes,
      generation,
      node: (name) => {
        const position = positions.get(name)
        return position === undefined ? undefined : nodes[position]
      },
      ownedBy: (uid) => this.#owners.get(uid) ?? nobody,
      nodesWithAntiAffinity: () => this.#repelling.keys(),
    }
  }

  #place(pod: DeepReadonly<Pod>, nodeName: string, assumed: boolean): void {
    const key = formatKey(keyOf(pod))
    this.#take(key)
    const placed = placedPod(pod)
    this.#pods.set(key, { nodeName, placed, assumed })
    this.#setInfo(withPod(this.#info(nodeName) ?? nodeInfo(nodeName, undefined, []), placed))
    this.#count(pod, nodeName, 1)
  }

  #take(key: string): void {
    const placement = this.#pods.get(key)
    if (placement === undefined) return
    this.#pods.delete(key)
    const info = this.#info(placement.nodeName)
    if (info !== undefined) this.#setInfo(withoutPod(info, placement.placed))
    this.#count(placement.placed.pod, placement.nodeName, -1)
  }

  #info(name: string): NodeInfo | undefined {
    const position = this.#positions.get(name)
    return position === undefined ? this.#strangers.get(name) : this.#nodes[position]
  }

  #setInfo(info: NodeInfo): void {
    const position = this.#positions.get(info.name)
    if (position !== undefined) {
      this.#nodes[position] = info
      this.#changed()
    } else if (info.placed.length === 0) this.#strangers.delete(info.name)
    else this.#strangers.set(info.name, info)
  }

  #count(pod: DeepReadonly<Pod>, nodeName: string, by: 1 | -1): void {
    if ((pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.length ?? 0) > 0)
      raise(this.#repelling, nodeName, by)
    const owner = controllerOf(pod)?.uid
    if (owner === undefined) return
    const counts = this.#owners.get(owner) ?? new Map<string, number>()
    raise(counts, nodeName, by)
    if (counts.size > 0) this.#owners.set(owner, counts)
    else this.#owners.delete(owner)
  }

  #changed(): void {
    this.#generation++
    this.#snapshot = undefined
  }
}

/** Counts up or down; nothing is kept of what has come to nothing. */
function raise(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}
