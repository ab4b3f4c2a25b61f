import type { Random } from '@continuo/core'
import type { EndpointSlice, Service } from '@continuo/workload'
import { service, slice } from '../zone-fixture.ts'

type Endpoints = ReadonlyMap<string, { readonly ip: string; readonly ready: boolean }>

/** Values with the moment from which each was there. */
class History<T> {
  readonly #entries: { from: number; value: T }[]

  constructor(value: T) {
    this.#entries = [{ from: Number.NEGATIVE_INFINITY, value }]
  }

  get now(): T {
    return (this.#entries.at(-1) as { value: T }).value
  }

  /** @param forget what ended before is forgotten */
  set(value: T, from: number, forget: number): void {
    this.#entries.push({ from, value })
    while (this.#entries.length > 1 && (this.#entries[1] as { from: number }).from < forget) this.#entries.shift()
  }

  /** What was there at some moment between the two. */
  between(from: number, to: number): readonly T[] {
    return this.#entries
      .filter((entry, at) => entry.from <= to && (this.#entries[at + 1]?.from ?? Number.POSITIVE_INFINITY) >= from)
      .map(({ value }) => value)
  }
}

interface Known {
  readonly service: History<{ readonly headless: boolean; readonly address: string } | undefined>
  /** By name of the slice. */
  readonly slices: History<ReadonlyMap<string, Endpoints>>
}

/** One write: what is created, replaced or, without an object, deleted. */
export type Change =
  | { readonly kind: 'Service'; readonly name: string; readonly exists: boolean; readonly object?: Service }
  | { readonly kind: 'EndpointSlice'; readonly name: string; readonly exists: boolean; readonly object?: EndpointSlice }

export interface Question {
  readonly service: string
  readonly host?: string
  readonly name: string
}

const rememberMs = 10_000

/** What there should be, kept as simply as can be: the answers that are right are worked out anew for each question. */
export class ChurnModel {
  readonly #random: Random
  readonly #services: ReadonlyMap<string, Known>
  readonly #names: readonly string[]
  #addresses = 0

  constructor(random: Random, services: number) {
    this.#random = random
    this.#names = Array.from({ length: services }, (_, at) => `s${at}`)
    this.#services = new Map(
      this.#names.map((name) => [name, { service: new History(undefined), slices: new History(new Map()) } as Known]),
    )
  }

  #below(most: number): number {
    return Math.floor(this.#random.next() * most)
  }

  #address(): string {
    const at = ++this.#addresses
    return `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`
  }

  #pick(): string {
    return this.#names[this.#below(this.#names.length)] as string
  }

  #known(name: string): Known {
    return this.#services.get(name) as Known
  }

  /** The next change, which is in the model from this moment on. */
  change(now: number): Change & { readonly of: string } {
    const of = this.#pick()
    const { service: current, slices } = this.#known(of)
    const before = current.now
    if (before === undefined || this.#random.next() < 0.1) {
      const gone = before !== undefined && this.#random.next() < 0.5
      const next = gone
        ? undefined
        : { headless: before?.headless ?? this.#random.next() < 0.5, address: before?.address ?? this.#address() }
      current.set(next, now, now - rememberMs)
      const object = next && service(of, { ip: next.headless ? 'None' : next.address }, { http: 80 })
      return { of, kind: 'Service', name: of, exists: before !== undefined, object }
    }
    const name = `${of}-${this.#below(3)}`
    const old = slices.now.get(name)
    const all = new Map(slices.now)
    let object: EndpointSlice | undefined
    if (old !== undefined && this.#random.next() < 0.1) all.delete(name)
    else {
      const endpoints = new Map(old)
      const host = `h${this.#below(8)}`
      if (endpoints.has(host) && this.#random.next() < 0.4) endpoints.delete(host)
      else endpoints.set(host, { ip: this.#address(), ready: this.#random.next() < 0.8 })
      all.set(name, endpoints)
      const list = [...endpoints].map(([hostname, { ip, ready }]) => ({ ip, hostname, ready }))
      object = slice(of, name, list, { http: 8080 })
    }
    slices.set(all, now, now - rememberMs)
    return { of, kind: 'EndpointSlice', name, exists: old !== undefined, object }
  }

  /** A question about the service, or about any. */
  question(of = this.#pick()): Question {
    const host = this.#random.next() < 0.3 ? `h${this.#below(8)}` : undefined
    return { service: of, host, name: `${host === undefined ? '' : `${host}.`}${of}.shop.svc.cluster.local` }
  }

  /**
   * The answers that are right for what there was between two moments, each as sorted addresses; `''` for no such name. Services and slices
   * are watched apart from each other: what was there of both may meet in any combination.
   */
  right({ service, host }: Question, from: number, to: number): ReadonlySet<string> {
    const known = this.#known(service)
    const answers = new Set<string>()
    for (const one of known.service.between(from, to)) {
      if (one === undefined) answers.add('')
      else if (!one.headless && host === undefined) answers.add(one.address)
      else for (const slices of known.slices.between(from, to)) answers.add(readyAddresses(slices, host))
    }
    return answers
  }
}

function readyAddresses(slices: ReadonlyMap<string, Endpoints>, host: string | undefined): string {
  const found = new Set<string>()
  for (const endpoints of slices.values())
    for (const [hostname, { ip, ready }] of endpoints) if (ready && (host === undefined || host === hostname)) found.add(ip)
  return [...found].sort().join(' ')
}
