import { expect } from 'vitest'
import type { Api } from '../support/api.ts'

/** What an acknowledged write left behind. */
interface Version {
  readonly uid: string
  readonly resourceVersion: number
  readonly n: number
}

type State = Version | 'absent'

/** A write whose answer never came: it has happened or not, and nothing between. */
interface Doubt {
  readonly name: string
  readonly before: State
  readonly becomes: number | 'absent'
}

const collection = '/api/v1/namespaces/default/configmaps'
const namesPerWriter = 12

/**
 * Concurrent clients that create, replace, patch and delete config maps as fast as they are answered, and remember every answer.
 * A server that loses an acknowledged write, invents one, or gives a version twice is found by {@link AcknowledgedWrites.verify}.
 */
export class AcknowledgedWrites {
  readonly #states = new Map<string, State>()
  readonly #versions = new Set<number>()
  readonly #doubts: Doubt[] = []
  /** Every version given before this one was given in an earlier life of the server. */
  #floor = 0
  #n = 0
  #stopping = false
  acknowledged = 0
  inDoubt = 0
  inDoubtApplied = 0

  /** Highest version that was acknowledged. */
  get highest(): number {
    return Math.max(this.#floor, ...[...this.#versions].slice(-64))
  }

  /** Runs `writers` clients until no answer comes any more. Resolves when all have stopped. */
  async run(api: Api, writers: number): Promise<void> {
    this.#stopping = false
    await Promise.all(Array.from({ length: writers }, (_, index) => this.#write(api, `w${index}`)))
  }

  /** Lets writers that still get answers stop after their current one. */
  stop(): void {
    this.#stopping = true
  }

  async #write(api: Api, prefix: string): Promise<void> {
    for (;;) {
      if (this.#stopping) return
      const name = `${prefix}-${Math.floor(Math.random() * namesPerWriter)}`
      const before = this.#states.get(name) ?? 'absent'
      this.#n += 1
      const n = this.#n
      const remove = before !== 'absent' && Math.random() < 0.15
      try {
        const answer = remove ? await api.ok('DELETE', `${collection}/${name}`) : await this.#put(api, name, before, n)
        this.acknowledged += 1
        this.#states.set(name, remove ? 'absent' : this.#take(name, answer.body.metadata, n))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === undefined) throw error
        this.#doubts.push({ name, before, becomes: remove ? 'absent' : n })
        return
      }
    }
  }

  #put(api: Api, name: string, before: State, n: number) {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { n: String(n) } }
    if (before === 'absent') return api.ok('POST', collection, { body: object })
    if (Math.random() < 0.25)
      return api.ok('PATCH', `${collection}/${name}`, { body: { data: { n: String(n) } }, contentType: 'application/merge-patch+json' })
    const metadata = { name, uid: before.uid, resourceVersion: String(before.resourceVersion) }
    return api.ok('PUT', `${collection}/${name}`, { body: { ...object, metadata } })
  }

  #take(name: string, metadata: { uid: string; resourceVersion: string }, n: number): Version {
    const resourceVersion = Number(metadata.resourceVersion)
    if (this.#versions.has(resourceVersion)) throw new Error(`${name}: version ${resourceVersion} was given twice`)
    if (resourceVersion <= this.#floor)
      throw new Error(`${name}: version ${resourceVersion} is not above ${this.#floor}, given before the kill`)
    this.#versions.add(resourceVersion)
    return { uid: metadata.uid, resourceVersion, n }
  }

  /** Reads everything back and compares. Settles the writes in doubt by what it finds. */
  async verify(api: Api): Promise<void> {
    const list = (await api.ok('GET', collection)).body
    const head = Number(list.metadata.resourceVersion)
    expect(head).toBeGreaterThanOrEqual(this.highest)
    const found = new Map<string, State>()
    for (const { metadata, data } of list.items)
      if (/^w\d+-/.test(metadata.name))
        found.set(metadata.name, { uid: metadata.uid, resourceVersion: Number(metadata.resourceVersion), n: Number(data.n) })
    for (const { name, before, becomes } of this.#doubts.splice(0)) {
      const now = found.get(name) ?? 'absent'
      this.inDoubt += 1
      if (now === before || (now !== 'absent' && before !== 'absent' && now.n === before.n)) continue
      expect(now === 'absent' ? now : now.n, `${name}: the write in doubt has happened or not`).toBe(becomes)
      if (now !== 'absent' && before !== 'absent') expect(now.uid).toBe(before.uid)
      this.inDoubtApplied += 1
      this.#states.set(
        name,
        now === 'absent' ? now : this.#take(name, { uid: now.uid, resourceVersion: String(now.resourceVersion) }, now.n),
      )
    }
    const kept = [...this.#states].filter((entry): entry is [string, Version] => entry[1] !== 'absent')
    expect(Object.fromEntries([...found].sort())).toEqual(Object.fromEntries(kept.sort()))
    this.#floor = head
  }
}
