import { type Clock, hasReason, type Kind, type ObjectService, type ObjectView, parseTime } from '@continuo/core'
import { Node, Pod, Secret, ServiceAccount } from '@continuo/workload'
import type { AccountClaims, BoundObject } from './claims.ts'

/** An object that is being deleted vouches for its tokens this much longer, so that what it runs can end in peace. */
const leewayMs = 60_000
const caller = { user: { username: 'system:apiserver', groups: ['system:masters'] }, trusted: true } as const

/** Looks whether the objects that a token speaks of are still the ones it was issued for. */
export class BoundObjects {
  readonly #service: ObjectService
  readonly #clock: Clock

  constructor(service: ObjectService, clock: Clock) {
    this.#service = service
    this.#clock = clock
  }

  /** Why the token is over; undefined when every object stands. */
  async fault({ namespace, serviceaccount, pod, secret, node }: AccountClaims): Promise<string | undefined> {
    const wanted: readonly (readonly [Kind, string, BoundObject | undefined])[] = [
      [ServiceAccount, namespace, serviceaccount],
      [Pod, namespace, pod],
      [Secret, namespace, secret],
      // A pod's token only mentions its node.
      [Node, '', pod === undefined ? node : undefined],
    ]
    for (const [kind, home, bound] of wanted) {
      if (bound === undefined) continue
      const fault = await this.#fault(kind, home, bound)
      if (fault !== undefined) return fault
    }
    return undefined
  }

  async #fault(kind: Kind, namespace: string, { name, uid }: BoundObject): Promise<string | undefined> {
    const what = `${kind.kind.toLowerCase()} ${JSON.stringify(namespace === '' ? name : `${namespace}/${name}`)}`
    // What is at hand is enough to accept a token; before one is refused, the store is asked.
    let view = await this.find(kind, namespace, name, '0')
    if (view?.uid !== uid) view = await this.find(kind, namespace, name)
    if (view === undefined) return `its ${what} does not exist`
    if (view.uid !== uid) return `its ${what} is another one by now`
    const deleted = view.object.metadata.deletionTimestamp
    if (deleted !== undefined && parseTime(deleted) + leewayMs < this.#clock.now()) return `its ${what} has been deleted`
    return undefined
  }

  async find(kind: Kind, namespace: string, name: string, resourceVersion?: string): Promise<ObjectView | undefined> {
    const { group, version, resource } = kind
    try {
      const options = resourceVersion === undefined ? {} : { resourceVersion }
      return await this.#service.get({ group, version, resource, namespace, name }, options, caller)
    } catch (error) {
      if (hasReason(error, 'NotFound', 'BadRequest')) return undefined
      throw error
    }
  }
}
