import type { DeepReadonly } from '@continuo/core'
import type { EndpointSlice, Service } from '@continuo/workload'
import { reverseName } from './reverse-name.ts'
import { type ServiceRecords, type SliceRecords, serviceRecords, sliceRecords } from './service-records.ts'

/** Everything that is known of one service name. */
export interface ServiceEntry {
  /** `name.namespace.svc.domain`. */
  readonly name: string
  /** Missing while only slices have been seen. */
  service?: ServiceRecords
  /** By name of the slice. */
  readonly slices: Map<string, { readonly source: DeepReadonly<EndpointSlice>; records: SliceRecords }>
}

/** One whose service exists. */
export type KnownService = ServiceEntry & { readonly service: ServiceRecords }

const serviceLabel = 'kubernetes.io/service-name'

/** What names look into: kept by changes, each of which costs the service or the slice that changed. */
export class ZoneIndex {
  readonly #domain: string
  readonly #services = new Map<string, ServiceEntry>()
  readonly #namespaces = new Set<string>()
  /** Names of an address by its reverse name, counted: an endpoint may stand in two slices for a moment. */
  readonly #reverse = new Map<string, Map<string, number>>()
  #changes = 0

  constructor(domain: string) {
    this.#domain = domain
  }

  /** Grows with each change: the serial of the zone. */
  get changes(): number {
    return this.#changes
  }

  hasNamespace(namespace: string): boolean {
    return this.#namespaces.has(namespace)
  }

  /** Nothing while the service itself does not exist. */
  find(namespace: string, name: string): KnownService | undefined {
    const entry = this.#services.get(`${namespace}/${name}`)
    return entry?.service === undefined ? undefined : (entry as KnownService)
  }

  /** Names that a reverse name leads to. */
  reverse(name: string): readonly string[] {
    return [...(this.#reverse.get(name)?.keys() ?? [])]
  }

  setNamespace(name: string, exists: boolean): void {
    this.#changes++
    if (exists) this.#namespaces.add(name)
    else this.#namespaces.delete(name)
  }

  /** The service as it is now; nothing when it is gone. */
  setService(namespace: string, name: string, service: DeepReadonly<Service> | undefined): void {
    this.#changes++
    const entry = this.#entry(namespace, name)
    const old = entry.service
    const next = service === undefined ? undefined : serviceRecords(service)
    const slicesChange = (old === undefined) !== (next === undefined) || old?.notReadyToo !== next?.notReadyToo
    this.#count(old?.addresses ?? [], entry.name, -1)
    if (slicesChange && old !== undefined) for (const { records } of entry.slices.values()) this.#countSlice(entry, records, -1)
    if (next === undefined) delete entry.service
    else entry.service = next
    this.#count(next?.addresses ?? [], entry.name, 1)
    if (slicesChange)
      for (const slice of entry.slices.values()) {
        slice.records = sliceRecords(slice.source, next?.notReadyToo ?? false)
        if (next !== undefined) this.#countSlice(entry, slice.records, 1)
      }
    this.#forgetEmpty(namespace, name, entry)
  }

  /** A slice as it was before and is now; it may have moved from one service to another. */
  setSlice(old: DeepReadonly<EndpointSlice> | undefined, next: DeepReadonly<EndpointSlice> | undefined): void {
    this.#changes++
    const before = old?.metadata.labels?.[serviceLabel]
    const after = next?.metadata.labels?.[serviceLabel]
    if (old !== undefined && before !== undefined) this.#dropSlice(old.metadata.namespace ?? '', before, old.metadata.name)
    if (next === undefined || after === undefined) return
    const namespace = next.metadata.namespace ?? ''
    const entry = this.#entry(namespace, after)
    // Whoever gives a slice without its old form replaces what stands there under its name.
    if (entry.slices.has(next.metadata.name)) this.#dropSlice(namespace, after, next.metadata.name, true)
    const records = sliceRecords(next, entry.service?.notReadyToo ?? false)
    entry.slices.set(next.metadata.name, { source: next, records })
    if (entry.service !== undefined) this.#countSlice(entry, records, 1)
  }

  #dropSlice(namespace: string, service: string, slice: string, keep = false): void {
    const entry = this.#entry(namespace, service)
    const known = entry.slices.get(slice)
    entry.slices.delete(slice)
    if (known !== undefined && entry.service !== undefined) this.#countSlice(entry, known.records, -1)
    if (!keep) this.#forgetEmpty(namespace, service, entry)
  }

  #entry(namespace: string, name: string): ServiceEntry {
    const key = `${namespace}/${name}`
    let entry = this.#services.get(key)
    if (entry === undefined) {
      entry = { name: `${name}.${namespace}.svc.${this.#domain}`, slices: new Map() }
      this.#services.set(key, entry)
    }
    return entry
  }

  #forgetEmpty(namespace: string, name: string, entry: ServiceEntry): void {
    if (entry.service === undefined && entry.slices.size === 0) this.#services.delete(`${namespace}/${name}`)
  }

  #countSlice(entry: ServiceEntry, { endpoints }: SliceRecords, by: 1 | -1): void {
    for (const [label, addresses] of endpoints) this.#count(addresses, `${label}.${entry.name}`, by)
  }

  #count(addresses: readonly string[], name: string, by: 1 | -1): void {
    for (const address of addresses) {
      const reverse = reverseName(address)
      if (reverse === undefined) continue
      const names = this.#reverse.get(reverse) ?? new Map<string, number>()
      const count = (names.get(name) ?? 0) + by
      if (count > 0) this.#reverse.set(reverse, names.set(name, count))
      else {
        names.delete(name)
        if (names.size === 0) this.#reverse.delete(reverse)
      }
    }
  }
}
