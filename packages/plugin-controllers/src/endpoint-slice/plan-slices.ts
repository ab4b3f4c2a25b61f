import type { DeepReadonly, OwnerReference } from '@continuo/core'
import type { DiscoveryEndpointPort, Endpoint, EndpointSlice } from '@continuo/workload'
import { sameStatus } from '../status/same-status.ts'

export type SliceView = DeepReadonly<EndpointSlice>

/** Endpoints that offer the same ports at addresses of the same family: what one slice may hold. */
export interface EndpointGroup {
  readonly addressType: 'IPv4' | 'IPv6'
  readonly ports: readonly DiscoveryEndpointPort[]
  readonly endpoints: readonly Endpoint[]
}

/** What all slices of a service have in common. */
export interface SliceFrame {
  readonly namespace: string
  readonly service: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly owner: OwnerReference
}

export interface SlicePlan {
  readonly create: readonly EndpointSlice[]
  readonly update: readonly EndpointSlice[]
  readonly remove: readonly SliceView[]
}

export const maxEndpoints = 100

const groupKey = (addressType: string, ports: readonly DeepReadonly<DiscoveryEndpointPort>[]): string =>
  JSON.stringify([
    addressType,
    ports.map(({ name, port, protocol, appProtocol }) => [name ?? '', port ?? 0, protocol ?? 'TCP', appProtocol ?? '']).sort(),
  ])

const endpointKey = (endpoint: DeepReadonly<Endpoint>): string => endpoint.targetRef?.uid ?? endpoint.addresses.join()

/**
 * The fewest writes that make the slices say what the groups say: an endpoint stays in its slice, a slice that loses or changes some
 * is updated, newcomers go into slices that are updated anyway, then into those with room, then into new ones.
 */
export function planSlices(existing: readonly SliceView[], groups: readonly EndpointGroup[], frame: SliceFrame): SlicePlan {
  const plan = { create: [] as EndpointSlice[], update: [] as EndpointSlice[], remove: [] as SliceView[] }
  const byGroup = Map.groupBy(existing, (slice) => groupKey(slice.addressType, slice.ports ?? []))
  for (const group of groups) {
    const key = groupKey(group.addressType, group.ports)
    planGroup(byGroup.get(key) ?? [], group, frame, plan)
    byGroup.delete(key)
  }
  for (const slices of byGroup.values()) plan.remove.push(...slices)
  return plan
}

function planGroup(
  existing: readonly SliceView[],
  group: EndpointGroup,
  frame: SliceFrame,
  plan: { create: EndpointSlice[]; update: EndpointSlice[]; remove: SliceView[] },
): void {
  const wanted = new Map(group.endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]))
  const drafts = existing.map((slice) => {
    const kept: Endpoint[] = []
    for (const endpoint of slice.endpoints ?? []) {
      const next = wanted.get(endpointKey(endpoint))
      if (next !== undefined) kept.push(next)
      wanted.delete(endpointKey(endpoint))
    }
    return { slice, endpoints: kept, changed: !sameStatus(slice.endpoints ?? [], kept) || !hasFrame(slice, frame) }
  })
  const newcomers = [...wanted.values()]
  const withRoom = [...drafts].sort((a, b) => Number(b.changed) - Number(a.changed) || b.endpoints.length - a.endpoints.length)
  for (const draft of withRoom) {
    const room = Math.max(0, maxEndpoints - draft.endpoints.length)
    const added = newcomers.splice(0, room)
    if (added.length === 0) continue
    draft.endpoints.push(...added)
    draft.changed = true
  }
  for (let start = 0; start < newcomers.length; start += maxEndpoints)
    plan.create.push(makeSlice(group, newcomers.slice(start, start + maxEndpoints), frame))
  const filled = drafts.filter((draft) => draft.endpoints.length > 0)
  const placeholder = filled.length === 0 && newcomers.length === 0 ? drafts[0] : undefined
  for (const draft of drafts) {
    if (draft.endpoints.length === 0 && draft !== placeholder) plan.remove.push(draft.slice)
    else if (draft.changed) plan.update.push(redraw(draft.slice, draft.endpoints, frame))
  }
  if (drafts.length === 0 && group.endpoints.length === 0) plan.create.push(makeSlice(group, [], frame))
}

function hasFrame(slice: SliceView, { labels, annotations }: SliceFrame): boolean {
  const { 'endpoints.kubernetes.io/last-change-trigger-time': _, ...known } = slice.metadata.annotations ?? {}
  return sameStatus(slice.metadata.labels ?? {}, labels) && sameStatus(known, annotations)
}

const makeSlice = ({ addressType, ports }: EndpointGroup, endpoints: Endpoint[], frame: SliceFrame): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: '',
    generateName: `${frame.service}-`,
    namespace: frame.namespace,
    labels: { ...frame.labels },
    ...(Object.keys(frame.annotations).length > 0 && { annotations: { ...frame.annotations } }),
    ownerReferences: [frame.owner],
  },
  addressType,
  endpoints,
  ports: [...ports],
})

const redraw = (slice: SliceView, endpoints: Endpoint[], frame: SliceFrame): EndpointSlice => {
  const copy = structuredClone(slice) as EndpointSlice
  return { ...copy, metadata: { ...copy.metadata, labels: { ...frame.labels }, annotations: { ...frame.annotations } }, endpoints }
}
