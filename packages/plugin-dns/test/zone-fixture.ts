import type { EndpointSlice, Service } from '@continuo/workload'
import { rcodes, types } from '../src/wire/protocol.ts'
import { Zone, type ZoneOptions } from '../src/zone/zone.ts'
import { ZoneIndex } from '../src/zone/zone-index.ts'

export interface Ports {
  readonly [name: string]: number | readonly [port: number, protocol: 'TCP' | 'UDP']
}

const portsOf = (ports: Ports) =>
  Object.entries(ports).map(([name, value]) => {
    const [port, protocol] = typeof value === 'number' ? [value, 'TCP' as const] : value
    return { name: name === '' ? undefined : name, port, protocol }
  })

export const service = (
  name: string,
  spec: Partial<NonNullable<Service['spec']>> & { ip?: string | readonly string[] },
  ports: Ports = {},
) => {
  const { ip, ...rest } = spec
  const addresses = ip === undefined ? [] : typeof ip === 'string' ? [ip] : [...ip]
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'shop', name },
    spec: { clusterIP: addresses[0], clusterIPs: addresses, ports: portsOf(ports), ...rest },
  } as Service
}

export interface EndpointWanted {
  readonly ip: string
  readonly hostname?: string
  readonly ready?: boolean
}

export const slice = (of: string, name: string, endpoints: readonly EndpointWanted[], ports: Ports = {}) =>
  ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'shop', name, labels: { 'kubernetes.io/service-name': of } },
    addressType: endpoints[0]?.ip.includes(':') === true ? 'IPv6' : 'IPv4',
    endpoints: endpoints.map(({ ip, hostname, ready }) => ({
      addresses: [ip],
      hostname,
      conditions: ready === undefined ? {} : { ready },
    })),
    ports: portsOf(ports),
  }) as EndpointSlice

export function makeIndex(): ZoneIndex {
  const index = new ZoneIndex('cluster.local')
  index.setNamespace('shop', true)
  return index
}

export const set = (index: ZoneIndex, ...objects: readonly (Service | EndpointSlice)[]): void => {
  for (const object of objects)
    if (object.kind === 'Service') index.setService(object.metadata.namespace ?? '', object.metadata.name, object as Service)
    else index.setSlice(undefined, object as EndpointSlice)
}

export const makeZone = (index: ZoneIndex, more: Partial<ZoneOptions> = {}): Zone =>
  new Zone({
    domain: 'cluster.local',
    index,
    ttl: 5,
    negativeTtl: 7,
    pods: 'insecure',
    hasPod: () => false,
    serverAddresses: ['10.96.0.10'],
    firstSerial: 1,
    ...more,
  })

const codes = Object.fromEntries(Object.entries(rcodes).map(([name, code]) => [code, name]))

const textOf = (data: unknown): string => {
  if (typeof data === 'string') return data
  if (Array.isArray(data)) return data.map((part: Buffer) => `"${part.toString()}"`).join(' ')
  const { priority, weight, port, target } = data as Record<string, unknown>
  return target === undefined ? JSON.stringify(data) : `${priority} ${weight} ${port} ${target}`
}

/** The answer in short lines: `A 10.0.0.1`, in order; the code where it is not NOERROR; `-` for nothing of that type. */
export function ask(zone: Zone, name: string, type: keyof typeof types): string {
  const answer = zone.answer(name, types[type])
  if (answer === undefined) return 'not ours'
  const lines = answer.answers.map((record) => `${record.type} ${textOf(record.data)}`).sort((a, b) => (a < b ? -1 : 1))
  if (answer.rcode !== rcodes.noError) lines.push(codes[answer.rcode] as string)
  return lines.length === 0 ? '-' : lines.join(', ')
}
