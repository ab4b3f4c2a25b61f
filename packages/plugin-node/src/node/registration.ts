import { type Clock, formatMicroTime, hasReason, type Kind, type KubeObject, Lease, type Log, type ObjectClient } from '@continuo/core'
import { Node } from '@continuo/workload'
import { type NodeFacts, nodeLabels, nodeObject, nodeStatus } from './node-object.ts'

export interface RegistrationOptions {
  readonly client: ObjectClient
  readonly clock: Clock
  readonly log: Log
  readonly leaseSeconds: number
  /** Facts of this moment. */
  facts(): Promise<NodeFacts>
}

const leaseNamespace = 'kube-node-lease'

/**
 * Keeps the node's object and its heartbeat. The lease is renewed four times in its duration; the status is written when it
 * changed, and every five minutes.
 */
export class Registration {
  readonly #options: RegistrationOptions
  #lastStatusAt = Number.NEGATIVE_INFINITY
  #lastStatus = ''

  constructor(options: RegistrationOptions) {
    this.#options = options
  }

  /** Registers, then renews until the signal aborts. Resolves once the first registration has succeeded. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#untilDone(signal)
    void this.#renew(signal)
  }

  async #untilDone(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.#register()
        await this.#heartbeat()
        return
      } catch (error) {
        this.#options.log.warn({ error }, 'cannot register the node, trying again')
        await this.#options.clock.sleep(1_000, signal)
      }
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep((this.#options.leaseSeconds * 1_000) / 4, signal).catch(() => {})
      if (signal.aborted) return
      await this.#heartbeat().catch((error) => this.#options.log.warn({ error }, 'cannot renew the heartbeat of the node'))
    }
  }

  async #register(): Promise<void> {
    const facts = await this.#options.facts()
    const nodes = this.#options.client.for(Node)
    try {
      await nodes.create(nodeObject(facts))
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error
      await nodes.patch(facts.name, { type: 'merge', body: { metadata: { labels: nodeLabels(facts) } } })
    }
  }

  async #heartbeat(): Promise<void> {
    const facts = await this.#options.facts()
    await Promise.all([this.#renewLease(facts), this.#writeStatus(facts)])
  }

  async #writeStatus(facts: NodeFacts): Promise<void> {
    const nodes = this.#options.client.for(Node)
    const print = JSON.stringify(nodeStatus({ ...facts, now: 0 }, undefined))
    if (print === this.#lastStatus && facts.now - this.#lastStatusAt < 300_000) {
      const ready = (await nodes.get(facts.name, { resourceVersion: '0' }).catch(() => undefined))?.status?.conditions?.find(
        (condition) => condition.type === 'Ready',
      )
      if (ready?.status === (facts.runtimeProblem === undefined ? 'True' : 'False')) return
    }
    let current: Node
    try {
      current = await nodes.get(facts.name)
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
      await this.#register()
      current = await nodes.get(facts.name)
    }
    await nodes.subresource('status').patch(facts.name, { type: 'strategic', body: { status: nodeStatus(facts, current.status) } })
    this.#lastStatus = print
    this.#lastStatusAt = facts.now
  }

  async #renewLease(facts: NodeFacts): Promise<void> {
    const leases = this.#options.client.for(Lease as Kind<KubeObject & { spec?: Record<string, unknown> }>)
    const spec = { holderIdentity: facts.name, leaseDurationSeconds: this.#options.leaseSeconds, renewTime: formatMicroTime(facts.now) }
    const at = { namespace: leaseNamespace, name: facts.name }
    try {
      await leases.patch(at, { type: 'merge', body: { spec } })
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
      const { metadata } = await this.#options.client.for(Node).get(facts.name)
      // Goes with its node: a node that is deleted leaves no heartbeat behind.
      const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: facts.name, uid: metadata.uid ?? '' }]
      await leases.create({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...at, ownerReferences }, spec })
    }
  }
}
