/** A binary heap: `pop` gives the item that comes before all others. */
export class Heap<T> {
  readonly #items: T[] = []
  readonly #before: (a: T, b: T) => boolean

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before
  }

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(items[at] as T, items[parent] as T)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  pop(): T | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (items.length === 0 || last === undefined) return first
    items[0] = last
    let at = 0
    for (;;) {
      let next = at
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < items.length && this.#before(items[child] as T, items[next] as T)) next = child
      if (next === at) return first
      this.#swap(at, next)
      at = next
    }
  }

  #swap(a: number, b: number): void {
    const kept = this.#items[a] as T
    this.#items[a] = this.#items[b] as T
    this.#items[b] = kept
  }
}
