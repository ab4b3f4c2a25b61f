import {
  type AdmissionRequest,
  ApiError,
  ContinuoError,
  type DeepReadonly,
  definePlugin,
  type FieldError,
  fieldError,
  invalid,
} from '@continuo/core'
import { Node } from '@continuo/workload'
import { z } from 'zod'
import { endsWith, goesNow } from '../claims/object-ends.ts'
import { type DividedRange, divide, parseBlock, partAt, partsOf } from './node-ranges.ts'

const config = z
  .strictObject({
    clusterRange: z
      .string()
      .refine((text) => parseBlock(text) !== undefined, 'must be an IPv4 range such as 10.244.0.0/16')
      .default('10.244.0.0/16')
      .describe('Addresses of pods: each node gets a part of this range.'),
    nodeBits: z
      .int()
      .min(9)
      .max(30)
      .default(24)
      .describe("Bits of the prefix of a node's part: 24 has room for 254 pods. At most 16 more than the range's."),
  })
  .prefault({})

/** Gives each node a range of pod addresses, `spec.podCIDR`, claimed in the very commit that stores the node and released with it. */
export const nodeIpam = definePlugin({
  name: 'node-ipam',
  api: '^1',
  config,
  permissions: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch', 'patch'] }],
  setup(ctx) {
    const { clusterRange, nodeBits } = ctx.config
    const range = divide(clusterRange, nodeBits)
    if (range === undefined)
      throw new ContinuoError('NODE_RANGE', `${clusterRange} cannot be divided into parts with a prefix of ${nodeBits} bits`, {
        hint: 'the range needs a prefix of 8 bits or more, and at most 16 fewer than nodeBits',
      })
    const nodes = ctx.informer(Node)
    const allocator = new NodeRangeAllocator(range, () => nodes.lister.list())
    ctx.admission({ mutate: (request) => (isNode(request) ? allocator.admit(request) : undefined) })
    // For nodes that were there before this plugin: any write of theirs passes the admission, which gives them what they lack.
    ctx.controller({
      name: 'node-ipam-controller',
      for: Node,
      async reconcile(key, { client }) {
        const node = nodes.lister.get(key)
        if (node === undefined || node.metadata.deletionTimestamp !== undefined || held(node).length > 0) return
        await client.for(Node).patch(key, { type: 'merge', body: { metadata: { resourceVersion: node.metadata.resourceVersion } } })
      },
    })
  },
})

const isNode = ({ resource, subresource }: AdmissionRequest): boolean =>
  resource.group === '' && resource.resource === 'nodes' && (subresource === undefined || subresource === '')

/** The ranges that a node has. */
const held = ({ spec }: DeepReadonly<Node>): readonly string[] => spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : [])

const rangeClaim = (part: string): string => `allocations/node-ranges/${part}`

/** Gives and claims parts of the cluster's range. A claim that another request takes first makes core run this again. */
export class NodeRangeAllocator {
  readonly #range: DividedRange
  readonly #known: () => readonly DeepReadonly<Node>[]
  #next = 0

  /** @param known The nodes as far as they are known, to guess well; exactness comes from the claims. */
  constructor(range: DividedRange, known: () => readonly DeepReadonly<Node>[]) {
    this.#range = range
    this.#known = known
  }

  async admit(request: AdmissionRequest): Promise<void> {
    const old = request.oldObject as DeepReadonly<Node> | undefined
    const before = old === undefined ? [] : this.#parts(held(old))
    const release = (parts: readonly string[]): void => {
      for (const part of parts) request.companion({ type: 'release', key: rangeClaim(part) })
    }
    if (request.operation === 'DELETE') {
      if (old !== undefined && endsWith(request, old)) release(before)
      return
    }
    if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return
    const next = request.object as unknown as Node
    if (old !== undefined && goesNow(next, next.metadata.finalizers)) return release(before)
    if (held(next).length === 0 && (old === undefined || held(old).length === 0)) await this.#give(request, next)
    const wanted = this.#parts(held(next))
    await this.#claim(
      request,
      next,
      wanted.filter((part) => !before.includes(part)),
    )
    release(before.filter((part) => !wanted.includes(part)))
  }

  /** Parts go round: that of a node that left is given last, when nobody routes to it any more. */
  async #give(request: AdmissionRequest, node: Node): Promise<void> {
    const used = new Set(this.#known().flatMap((other) => held(other).flatMap((cidr) => partsOf(this.#range, cidr))))
    const { parts } = this.#range
    const from = this.#next
    const order = Array.from({ length: parts }, (_, index) => (from + index) % parts)
    // What looks taken is tried too, last: the node that had it may be gone by now.
    for (const index of [...order.filter((one) => !used.has(one)), ...order.filter((one) => used.has(one))]) {
      const part = partAt(this.#range, index)
      if ((await request.read.claim(rangeClaim(part))) !== undefined) continue
      this.#next = (index + 1) % parts
      node.spec = { ...node.spec, podCIDR: part, podCIDRs: [part] }
      return
    }
    throw new ApiError('InternalError', `Internal error occurred: failed to allocate a range of pod addresses: ${this.#range.cidr} is full`)
  }

  async #claim(request: AdmissionRequest, node: Node, parts: readonly string[]): Promise<void> {
    const faults: FieldError[] = []
    const name = node.metadata.name ?? request.name
    for (const part of parts) {
      const owner = await request.read.claim(rangeClaim(part))
      if (owner === undefined) request.companion({ type: 'claim', key: rangeClaim(part), value: name })
      else if (owner !== name)
        faults.push(fieldError.invalid('spec.podCIDRs', held(node), `overlaps with ${part}, which is allocated to node "${owner}"`))
    }
    if (faults.length > 0) throw invalid({ group: '', kind: 'Node' }, name, faults)
  }

  #parts(ranges: readonly string[]): readonly string[] {
    return [...new Set(ranges.flatMap((cidr) => partsOf(this.#range, cidr)))].map((index) => partAt(this.#range, index))
  }
}
