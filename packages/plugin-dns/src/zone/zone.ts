import { isIP } from 'node:net'
import { type RecordTypeName, type ResourceRecord, rcodes, types } from '../wire/protocol.ts'
import { familyOf, labelAddress } from './reverse-name.ts'
import type { NamedPort } from './service-records.ts'
import type { KnownService, ServiceEntry, ZoneIndex } from './zone-index.ts'

export interface ZoneOptions {
  /** In lower case, without a final dot. */
  readonly domain: string
  readonly index: ZoneIndex
  /** Of records that exist. Seconds. */
  readonly ttl: number
  /** Of answers that something does not exist. Seconds. */
  readonly negativeTtl: number
  /** What names of pods are answered: none, any address in a namespace that exists, or those of pods that exist. */
  readonly pods: 'disabled' | 'insecure' | 'verified'
  /** Whether a pod of the namespace has the address; asked in the mode `verified`. */
  readonly hasPod: (namespace: string, address: string) => boolean
  /** Addresses of the name server itself, for the zone's NS record. */
  readonly serverAddresses: readonly string[]
  /** Serial of the zone before the first change. */
  readonly firstSerial: number
}

/** What the zone says to a question. */
export interface ZoneAnswer {
  readonly rcode: number
  readonly answers: readonly ResourceRecord[]
  readonly authority: readonly ResourceRecord[]
  readonly additional: readonly ResourceRecord[]
  /** The chain of CNAME records ends outside of the zone, at this name. */
  readonly elsewhere?: string
}

/** Records of one name by what is asked; `undefined` when there is no such name. */
type Found = { readonly records: readonly ResourceRecord[]; readonly additional?: readonly ResourceRecord[] } | undefined

const noData: Found = { records: [] }
const longestChain = 8
const longTtl = 28_800
/** Version of the specification whose names this is. */
const specification = '1.1.0'

/** Names of the cluster by the Kubernetes DNS specification. Reads the index alone: an answer costs what it says. */
export class Zone {
  readonly #options: ZoneOptions
  readonly #suffix: string

  constructor(options: ZoneOptions) {
    this.#options = options
    this.#suffix = `.${options.domain}`
  }

  /** Whether names below the domain, this one among them, are for this zone to answer. */
  owns(name: string): boolean {
    return name === this.#options.domain || name.endsWith(this.#suffix)
  }

  /** The answer; nothing when the name is not of this zone: names of addresses that it does not know are not either. */
  answer(name: string, type: number): ZoneAnswer | undefined {
    if (!this.owns(name)) return this.#reverse(name, type)
    const answers: ResourceRecord[] = []
    for (let at = name, steps = 0; steps < longestChain; steps++) {
      const found = this.#lookup(at, type)
      if (found === undefined) return this.#negative(rcodes.nxDomain, answers)
      if (found.records.length === 0) return this.#negative(rcodes.noError, answers)
      answers.push(...found.records)
      const [first] = found.records
      if (first?.type !== 'CNAME' || type === types.CNAME || type === types.ANY)
        return { rcode: rcodes.noError, answers, authority: [], additional: found.additional ?? [] }
      at = first.data as string
      if (!this.owns(at)) return { rcode: rcodes.noError, answers, authority: [], additional: [], elsewhere: at }
    }
    // A ring of names: nobody gets an address out of it.
    return { rcode: rcodes.servFail, answers: [], authority: [], additional: [] }
  }

  /** The answer to a reverse name that nothing has. */
  noSuchName(): ZoneAnswer {
    return this.#negative(rcodes.nxDomain, [])
  }

  #reverse(name: string, type: number): ZoneAnswer | undefined {
    const names = this.#options.index.reverse(name)
    if (names.length === 0) return undefined
    if (type !== types.PTR && type !== types.ANY) return this.#negative(rcodes.noError, [])
    return { rcode: rcodes.noError, answers: names.map((data) => this.#record(name, 'PTR', data)), authority: [], additional: [] }
  }

  #negative(rcode: number, answers: readonly ResourceRecord[]): ZoneAnswer {
    return { rcode, answers, authority: [this.#soa()], additional: [] }
  }

  #record(name: string, type: RecordTypeName, data: unknown, ttl = this.#options.ttl): ResourceRecord {
    return { name, type, ttl, data }
  }

  #soa(): ResourceRecord {
    const { domain, negativeTtl, firstSerial, index } = this.#options
    return this.#record(
      domain,
      'SOA',
      {
        mname: `ns.dns.${domain}`,
        rname: `hostmaster.${domain}`,
        serial: (firstSerial + index.changes) >>> 0,
        refresh: 7_200,
        retry: 1_800,
        expire: 86_400,
        minimum: negativeTtl,
      },
      negativeTtl,
    )
  }

  #lookup(name: string, type: number): Found {
    const labels = name === this.#options.domain ? [] : name.slice(0, -this.#suffix.length).split('.')
    const top = labels.pop()
    switch (top) {
      case undefined:
        return this.#apex(name, type)
      case 'svc':
        return this.#service(labels, name, type)
      case 'pod':
        return this.#pod(labels, name, type)
      case 'dns':
        if (labels.length === 0) return noData
        return labels.length === 1 && labels[0] === 'ns' ? this.#addresses(name, this.#options.serverAddresses, type) : undefined
      case 'dns-version':
        return labels.length > 0
          ? undefined
          : this.#pick(type, 'TXT', () => [this.#record(name, 'TXT', [Buffer.from(specification)], longTtl)], name)
      default:
        return undefined
    }
  }

  #apex(name: string, type: number): Found {
    const ns = `ns.dns.${name}`
    if (type === types.SOA) return { records: [this.#soa()] }
    if (type === types.NS)
      return {
        records: [this.#record(name, 'NS', ns)],
        additional: this.#options.serverAddresses.map((address) => this.#record(ns, familyOf(address), address)),
      }
    return type === types.ANY ? this.#minimal(name) : noData
  }

  #service(labels: readonly string[], name: string, type: number): Found {
    const { index } = this.#options
    const namespace = labels.at(-1)
    if (namespace === undefined) return noData
    const service = labels.at(-2)
    if (service === undefined) return index.hasNamespace(namespace) ? noData : undefined
    const entry = index.find(namespace, service)
    if (entry === undefined) return undefined
    const [first = '', second = ''] = labels
    if (labels.length === 2) return this.#wholeService(entry, name, type)
    if (labels.length === 3) return first.startsWith('_') ? this.#protocol(entry, first) : this.#endpoint(entry, first, name, type)
    return labels.length === 4 && first.startsWith('_') && second.startsWith('_')
      ? this.#port(entry, first.slice(1), second.slice(1), name, type)
      : undefined
  }

  #wholeService(entry: KnownService, name: string, type: number): Found {
    const { service } = entry
    if (service.externalName !== undefined)
      return isIP(service.externalName) === 0 ? { records: [this.#record(name, 'CNAME', service.externalName)] } : noData
    const addresses = service.headless ? allAddresses(entry) : service.addresses
    if (addresses.length === 0 && service.headless) return undefined
    return type === types.SRV ? this.#srv(entry, name, () => true) : this.#addresses(name, addresses, type)
  }

  #endpoint(entry: ServiceEntry, label: string, name: string, type: number): Found {
    const addresses = new Set<string>()
    for (const { records } of entry.slices.values()) for (const address of records.endpoints.get(label) ?? []) addresses.add(address)
    return addresses.size === 0 ? undefined : this.#addresses(name, [...addresses], type)
  }

  /** `_tcp.service…` has nothing of its own, but there are names below it. */
  #protocol(entry: KnownService, label: string): Found {
    const exists = portsOf(entry).some(({ name, protocol }) => name !== '' && `_${protocol}` === label)
    return exists ? noData : undefined
  }

  #port(entry: KnownService, port: string, protocol: string, name: string, type: number): Found {
    const wanted = (other: NamedPort): boolean => other.name === port && other.protocol === protocol
    if (port === '' || !portsOf(entry).some(wanted)) return undefined
    if (entry.service.headless && allAddresses(entry).length === 0) return undefined
    if (type === types.ANY) return this.#minimal(name)
    return type === types.SRV ? this.#srv(entry, name, wanted) : noData
  }

  #srv(entry: KnownService, name: string, wanted: (port: NamedPort) => boolean): Found {
    const targets: { readonly port: number; readonly target: string; readonly addresses: readonly string[] }[] = []
    if (entry.service.headless) {
      for (const { records } of entry.slices.values())
        for (const { port } of records.ports.filter(wanted))
          for (const [label, addresses] of records.endpoints) targets.push({ port, target: `${label}.${entry.name}`, addresses })
    } else
      for (const { port } of entry.service.ports.filter(wanted))
        targets.push({ port, target: entry.name, addresses: entry.service.addresses })
    const distinct = [...new Map(targets.map((one) => [`${one.port} ${one.target}`, one])).values()]
    const weight = Math.max(1, Math.floor(100 / Math.max(1, distinct.length)))
    const addresses = new Map(targets.flatMap((one) => one.addresses.map((address) => [`${one.target} ${address}`, { ...one, address }])))
    return {
      records: distinct.map(({ port, target }) => this.#record(name, 'SRV', { priority: 0, weight, port, target })),
      additional: [...addresses.values()].map(({ target, address }) => this.#record(target, familyOf(address), address)),
    }
  }

  #pod(labels: readonly string[], name: string, type: number): Found {
    const { pods, index, hasPod } = this.#options
    const namespace = labels.at(-1)
    if (namespace === undefined) return noData
    if (pods === 'disabled' || !index.hasNamespace(namespace) || labels.length > 2) return undefined
    const [label] = labels
    if (labels.length === 1 || label === undefined) return noData
    const address = labelAddress(label)
    if (address === undefined || (pods === 'verified' && !hasPod(namespace, address))) return undefined
    return this.#addresses(name, [address], type)
  }

  #addresses(name: string, addresses: readonly string[], type: number): Found {
    if (type === types.ANY) return this.#minimal(name)
    const family = type === types.A ? 'A' : type === types.AAAA ? 'AAAA' : undefined
    if (family === undefined) return noData
    return {
      records: addresses.filter((address) => familyOf(address) === family).map((address) => this.#record(name, family, address)),
    }
  }

  #pick(type: number, has: RecordTypeName, records: () => readonly ResourceRecord[], name: string): Found {
    if (type === types.ANY) return this.#minimal(name)
    return type === types[has] ? { records: records() } : noData
  }

  /** The answer to a question for everything (RFC 8482). */
  #minimal(name: string): Found {
    return { records: [this.#record(name, 'HINFO', { cpu: 'RFC8482', os: '' })] }
  }
}

/** Ports with names: a headless service has those of its endpoints. */
const portsOf = (entry: KnownService): readonly NamedPort[] =>
  entry.service.headless ? [...entry.slices.values()].flatMap(({ records }) => records.ports) : entry.service.ports

/** Addresses of all ready endpoints, each once. */
function allAddresses(entry: ServiceEntry): readonly string[] {
  const found = new Set<string>()
  for (const { records } of entry.slices.values())
    for (const addresses of records.endpoints.values()) for (const address of addresses) found.add(address)
  return [...found]
}
