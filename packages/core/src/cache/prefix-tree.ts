import { compareKeys } from '../store/key-order.ts'

interface Branch {
  readonly prefix: string
  parent: this | undefined
}

/**
 * Prefixes, so that all that a key begins with are found in O(log n + found).
 * It rests on one fact: everything between a prefix and a key that begins with it begins with it too.
 */
export class PrefixTree<B extends Branch> {
  #branches: B[] = []

  get(prefix: string): B | undefined {
    const branch = this.#branches[this.#lastUpTo(prefix)]
    return branch?.prefix === prefix ? branch : undefined
  }

  add(branch: B): void {
    this.#branches.splice(this.#lastUpTo(branch.prefix) + 1, 0, branch)
    this.#link()
  }

  delete(branch: B): void {
    this.#branches = this.#branches.filter((other) => other !== branch)
    this.#link()
  }

  /** The longest prefix of the key; the others are its parents. */
  find(key: string): B | undefined {
    let branch = this.#branches[this.#lastUpTo(key)]
    while (branch !== undefined && !key.startsWith(branch.prefix)) branch = branch.parent
    return branch
  }

  [Symbol.iterator](): Iterator<B> {
    return this.#branches.values()
  }

  #lastUpTo(key: string): number {
    let low = 0
    let high = this.#branches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareKeys((this.#branches[middle] as B).prefix, key) <= 0) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  #link(): void {
    const open: B[] = []
    for (const branch of this.#branches) {
      while (open.length > 0 && !branch.prefix.startsWith((open.at(-1) as B).prefix)) open.pop()
      branch.parent = open.at(-1)
      open.push(branch)
    }
  }
}
