import type { FlowPath } from '@continuo/workload'

/** Objects of a LIST that one seat is taken for, and the most seats of one request: as Kubernetes. */
const objectsPerSeat = 100
const mostSeats = 10
const maxCollections = 2_000

const keyOf = (path: FlowPath): string => (path.isResource ? `${path.group}/${path.resource}/${path.namespace}` : '')

/**
 * How wide a LIST probably is: by the number of objects that the last one of the collection looked at. A page costs what it returns;
 * with a selector, everything is looked at. Bounded: the collections that were told of first are forgotten first.
 */
export class ListWidths {
  readonly #objects = new Map<string, number>()

  /** Seats, between 1 and 10. */
  estimate(path: FlowPath, query: URLSearchParams | undefined): number {
    if (!path.isResource) return 1
    const known = this.#objects.get(keyOf(path)) ?? 0
    const limit = Number(query?.get('limit') ?? 0)
    const selects = query !== undefined && (query.has('labelSelector') || query.has('fieldSelector'))
    const objects = limit > 0 && !selects ? Math.min(known, limit) : known
    return Math.max(1, Math.min(mostSeats, Math.ceil(objects / objectsPerSeat)))
  }

  /** A LIST of the collection looked at so many objects. */
  listed(path: FlowPath, objects: number): void {
    const key = keyOf(path)
    if (objects <= objectsPerSeat) {
      this.#objects.delete(key)
      return
    }
    this.#objects.delete(key)
    this.#objects.set(key, objects)
    if (this.#objects.size <= maxCollections) return
    for (const oldest of this.#objects.keys()) {
      this.#objects.delete(oldest)
      break
    }
  }
}
