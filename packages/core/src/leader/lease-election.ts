import type { Fence } from '../client/caller.ts'
import type { ObjectClient, ResourceClient } from '../client/object-client.ts'
import { type Clock, formatMicroTime } from '../clock/clock.ts'
import { withDeadline } from '../clock/deadline.ts'
import { hasReason } from '../errors/api-error.ts'
import { ContinuoError } from '../errors/continuo-error.ts'
import type { Log } from '../log/log.ts'
import type { KubeObject } from '../objects/object.ts'
import type { Random } from '../random/random.ts'
import { type Kind, kind } from '../resources/resource.ts'
import type { ElectionOptions } from './election-options.ts'
import { type Leadership, type Term, TermSource } from './leadership.ts'

interface Lease extends KubeObject {
  spec?: {
    holderIdentity?: string
    leaseDurationSeconds?: number
    acquireTime?: string
    renewTime?: string
    leaseTransitions?: number
  }
}

const leases: Kind<Lease> = kind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  resource: 'leases',
  namespaced: true,
})

export interface LeaseElectionOptions extends ElectionOptions {
  readonly hostName: string
  readonly client: ObjectClient
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/**
 * Leader election by two objects. The lease says who leads and is renewed; the epoch is written once per acquisition and never by renewals,
 * so that a fence on its version holds exactly as long as nobody else has acquired.
 *
 * Acquiring reads the epoch first, then takes the lease, then writes the epoch on the condition that it is still as it was read:
 * whoever was overtaken between those steps fails at the last one and never leads.
 */
export class LeaseElection implements Leadership {
  readonly #options: Required<Omit<LeaseElectionOptions, 'hostName'>>
  readonly #leases: ResourceClient<Lease>
  readonly #terms = new TermSource()
  readonly #abort = new AbortController()
  /** The other's lease as it was last seen, and when it changed, on this process's own monotonic clock. */
  #observed: { readonly version: string; readonly at: number } | undefined
  #holder: string | undefined
  #lease: Lease | undefined
  #running: Promise<void> | undefined

  constructor(options: LeaseElectionOptions) {
    this.#options = {
      namespace: 'kube-system',
      name: 'continuo-controllers',
      leaseMs: 15_000,
      renewDeadlineMs: 10_000,
      retryMs: 2_000,
      ...options,
      identity: options.identity ?? `${options.hostName}_${options.random.suffix(8)}`,
    }
    const { leaseMs, renewDeadlineMs, retryMs } = this.#options
    if (!(retryMs > 0 && retryMs < renewDeadlineMs && renewDeadlineMs < leaseMs)) {
      throw new ContinuoError(
        'ELECTION_OPTIONS',
        `leader election: retry ${retryMs} ms, renew deadline ${renewDeadlineMs} ms and lease ${leaseMs} ms must grow in this order`,
      )
    }
    this.#leases = this.#options.client.for(leases)
  }

  get leading(): boolean {
    return this.#terms.leading
  }

  get holder(): string | undefined {
    return this.#holder
  }

  start(): void {
    this.#running ??= this.#run(this.#abort.signal)
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#running
  }

  onTerm(begin: (term: Term) => void): () => void {
    return this.#terms.onTerm(begin)
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, log, random, retryMs, identity } = this.#options
    while (!signal.aborted) {
      const fence = await this.#acquire().catch((error: unknown) => {
        log.debug({ err: error }, 'leadership was not acquired')
        return undefined
      })
      if (fence !== undefined && !signal.aborted) {
        log.info({ identity, epoch: fence.resourceVersion }, 'leading')
        this.#terms.begin(fence)
        const why = await this.#renewUntilLost(signal)
        this.#terms.end(why)
        log.info({ identity }, `leads no more: ${why}`)
      }
      if (!signal.aborted) await clock.sleep(retryMs * (1 + 0.2 * random.next()), signal).catch(() => {})
    }
    await this.#release()
  }

  /** The fence of a new term, or nothing while somebody else leads. */
  async #acquire(): Promise<Fence | undefined> {
    const { clock, identity, leaseMs, name, namespace, renewDeadlineMs } = this.#options
    const begun = clock.monotonic()
    const epochName = `${name}-epoch`
    const epoch = await this.#get(epochName)
    const lease = await this.#get(name)
    if (!this.#free(lease)) return undefined
    const now = formatMicroTime(clock.now())
    const before = lease?.spec?.holderIdentity
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1_000),
      acquireTime: now,
      renewTime: now,
      leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (lease === undefined || before === identity ? 0 : 1),
    }
    this.#lease = await this.#put(lease, name, spec)
    const written = await this.#put(epoch, epochName, {
      holderIdentity: identity,
      acquireTime: now,
      leaseTransitions: (epoch?.spec?.leaseTransitions ?? 0) + 1,
    })
    this.#holder = identity
    // Taking this long, the lease may have run out meanwhile: the next turn takes it anew.
    if (clock.monotonic() - begun > renewDeadlineMs) return undefined
    return {
      group: leases.group,
      resource: leases.resource,
      namespace,
      name: epochName,
      resourceVersion: written.metadata.resourceVersion ?? '',
    }
  }

  /** Nobody holds it, this process holds it, or its holder has been silent for the lease's whole duration while this process watched. */
  #free(lease: Lease | undefined): boolean {
    const { clock, identity } = this.#options
    const holder = lease?.spec?.holderIdentity
    this.#holder = holder
    if (lease === undefined || holder === undefined || holder === '' || holder === identity) return true
    const version = lease.metadata.resourceVersion ?? ''
    if (this.#observed?.version !== version) this.#observed = { version, at: clock.monotonic() }
    return clock.monotonic() - this.#observed.at >= (lease.spec?.leaseDurationSeconds ?? 0) * 1_000
  }

  /** Renews until that fails for too long; says why it ended. */
  async #renewUntilLost(signal: AbortSignal): Promise<string> {
    const { clock, identity, log, renewDeadlineMs, retryMs } = this.#options
    let renewed = clock.monotonic()
    const left = (): number => renewDeadlineMs - (clock.monotonic() - renewed)
    while (!signal.aborted) {
      await clock.sleep(Math.min(retryMs, left()), signal).catch(() => {})
      if (signal.aborted) break
      // After a pause of the process nothing of what follows may count as a renewal in time.
      if (left() <= 0) return `the lease was not renewed for ${renewDeadlineMs} ms`
      const asked = clock.monotonic()
      const outcome = await withDeadline(clock, left(), 'renewing the lease', () => this.#renew()).catch(() => 'failed' as const)
      if (outcome === 'renewed') renewed = asked
      else if (outcome === 'taken') return `${this.#holder} has taken the lease from ${identity}`
      else log.warn({ leftMs: left() }, 'the lease was not renewed')
    }
    return 'the host stopped'
  }

  async #renew(): Promise<'renewed' | 'taken' | 'failed'> {
    const { clock, identity, name } = this.#options
    try {
      this.#lease = await this.#put(this.#lease, name, {
        ...this.#lease?.spec,
        renewTime: formatMicroTime(clock.now()),
      })
      return 'renewed'
    } catch (error) {
      if (!hasReason(error, 'Conflict', 'NotFound')) return 'failed'
    }
    try {
      // Somebody else changed it: an annotation perhaps, or its holder.
      this.#lease = await this.#get(name)
      this.#holder = this.#lease?.spec?.holderIdentity
      return this.#holder === identity ? 'failed' : 'taken'
    } catch {
      return 'failed'
    }
  }

  /** The successor need not wait: an empty holder is nobody. */
  async #release(): Promise<void> {
    const lease = this.#lease
    if (lease?.spec?.holderIdentity !== this.#options.identity) return
    try {
      this.#lease = await this.#put(lease, this.#options.name, {
        ...lease.spec,
        holderIdentity: '',
        leaseDurationSeconds: 1,
        renewTime: formatMicroTime(this.#options.clock.now()),
      })
    } catch (error) {
      this.#options.log.debug({ err: error }, 'the lease was not given back and will expire')
    }
  }

  async #get(name: string): Promise<Lease | undefined> {
    try {
      return await this.#leases.get({
        namespace: this.#options.namespace,
        name,
      })
    } catch (error) {
      if (hasReason(error, 'NotFound')) return undefined
      throw error
    }
  }

  /** Writes on the condition that the object is as it was read, or absent. */
  #put(old: Lease | undefined, name: string, spec: Lease['spec']): Promise<Lease> {
    const { namespace } = this.#options
    return old === undefined
      ? this.#leases.create({
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name, namespace },
          spec,
        })
      : this.#leases.update({ ...old, spec })
  }
}
