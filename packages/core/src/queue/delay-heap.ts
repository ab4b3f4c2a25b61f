export interface Delayed {
  readonly key: string
  readonly at: number
}

/** A binary heap of keys by time. A key that is added again keeps its earlier time. */
export class DelayHeap {
  readonly #heap: Delayed[] = []
  readonly #times = new Map<string, number>()

  get size(): number {
    return this.#times.size
  }

  /** Time of the earliest key. */
  get next(): number | undefined {
    return this.#heap[0]?.at
  }

  add(key: string, at: number): void {
    const known = this.#times.get(key)
    if (known !== undefined && known <= at) return
    this.#times.set(key, at)
    this.#heap.push({ key, at })
    this.#up(this.#heap.length - 1)
  }

  /** Takes every key that is due. */
  due(now: number): readonly string[] {
    const keys: string[] = []
    for (let top = this.#heap[0]; top !== undefined && top.at <= now; top = this.#heap[0]) {
      this.#pop()
      // An entry that an earlier time has overtaken is stale.
      if (this.#times.get(top.key) !== top.at) continue
      this.#times.delete(top.key)
      keys.push(top.key)
    }
    return keys
  }

  clear(): void {
    this.#heap.length = 0
    this.#times.clear()
  }

  #swap(a: number, b: number): void {
    const first = this.#heap[a] as Delayed
    this.#heap[a] = this.#heap[b] as Delayed
    this.#heap[b] = first
  }

  #at(index: number): number {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY
  }

  #up(index: number): void {
    for (let at = index; at > 0; ) {
      const parent = (at - 1) >> 1
      if (this.#at(parent) <= this.#at(at)) return
      this.#swap(parent, at)
      at = parent
    }
  }

  #pop(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const child = this.#at(left) <= this.#at(left + 1) ? left : left + 1
      if (this.#at(at) <= this.#at(child)) return
      this.#swap(at, child)
      at = child
    }
  }
}
