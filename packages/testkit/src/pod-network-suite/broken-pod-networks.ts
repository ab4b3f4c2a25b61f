import type { PodNetwork } from '@continuo/workload'
import type { OpenedPodNetwork } from './pod-network-check.ts'
import { type SimulatedHost, SimulatedPodNetwork } from './simulated-pod-network.ts'

/** A pod network with one fault, and a check that must notice it. */
export interface BrokenPodNetwork {
  readonly fault: string
  readonly caughtBy: string
  open(): Promise<OpenedPodNetwork>
}

type Wrap = (network: PodNetwork, host: SimulatedHost) => PodNetwork

/** Opens the simulated pod network, or one that a wrapper made faulty. */
export const openSimulatedPodNetwork =
  (wrap: Wrap = (network) => network) =>
  async (): Promise<OpenedPodNetwork> => {
    const host: SimulatedHost = { size: 14, held: new Map(), namespaces: new Map(), next: -1 }
    const start = (): PodNetwork => wrap(new SimulatedPodNetwork(host), host)
    let made = 0
    return {
      network: start(),
      capacity: host.size,
      restart: async () => start(),
      namespace: async () => {
        const path = `/made/${made++}`
        host.namespaces.set(path, undefined)
        return path
      },
      reaches: async ({ netns }, ip) =>
        host.namespaces.get(netns) !== undefined && (ip === '127.0.0.1' || [...host.namespaces.values()].includes(ip)),
      leftovers: async () => [...host.held.keys(), ...host.namespaces.keys()],
      dispose: async () => {},
    }
  }

/** A network that does all but what `faults` does otherwise. */
const otherwise =
  (faults: (network: PodNetwork, host: SimulatedHost) => Partial<PodNetwork>): Wrap =>
  (network, host) => ({
    attach: (request) => network.attach(request),
    detach: (uid) => network.detach(uid),
    attached: () => network.attached(),
    ...faults(network, host),
  })

const faulty = (fault: string, caughtBy: string, wrap: Wrap): BrokenPodNetwork => ({
  fault,
  caughtBy,
  open: openSimulatedPodNetwork(wrap),
})

/** Pod networks that the suite must not let pass. */
export const brokenPodNetworks: readonly BrokenPodNetwork[] = [
  faulty(
    'gives everybody the same address',
    'gives each sandbox an address of its own and says who has one',
    otherwise((network) => ({ attach: async (request) => ({ ...(await network.attach(request)), ips: ['10.0.0.1'] }) })),
  ),
  faulty(
    'gives another address each time',
    'gives the same when it is asked twice, one after the other and at once',
    otherwise((network) => ({
      attach: async (request) => {
        await network.detach(request.uid)
        return network.attach(request)
      },
    })),
  ),
  faulty(
    'connects nothing',
    'connects: pods reach each other and themselves by their addresses',
    otherwise((network, host) => ({
      attach: async (request) => {
        const attachment = await network.attach(request)
        host.namespaces.set(attachment.netns, undefined)
        return attachment
      },
    })),
  ),
  faulty(
    'makes a namespace of its own although it was given one',
    'connects a namespace that somebody else made, and leaves it there',
    otherwise((network) => ({ attach: ({ uid, namespace, name }) => network.attach({ uid, namespace, name }) })),
  ),
  faulty(
    'does not notice another namespace',
    'keeps the address of a sandbox whose namespace was replaced, and connects the new one',
    otherwise((network, host) => ({ attach: async (request) => host.held.get(request.uid) ?? network.attach(request) })),
  ),
  faulty(
    'forgets everything with a restart',
    'knows after a restart who has which address, and gives none of them away',
    (network, host) => {
      host.held.clear()
      host.next = -1
      return network
    },
  ),
  faulty(
    'fails to detach what it does not know',
    'lets go of what is detached, also after a restart, also twice, also of what it never heard of',
    otherwise((network, host) => ({
      detach: async (uid) => {
        if (!host.held.has(uid)) throw new TypeError(`${uid} is not attached`)
        await network.detach(uid)
      },
    })),
  ),
  faulty(
    'leaks addresses',
    'leaks no address: more pods come and go than there are addresses',
    otherwise((network, host) => ({
      detach: async (uid) => {
        const known = host.held.get(uid)
        await network.detach(uid)
        if (known !== undefined) host.held.set(`leak of ${uid}`, known)
      },
      attached: async () => [...host.held.keys()].filter((uid) => !uid.startsWith('leak')),
    })),
  ),
  faulty(
    'gives an address twice when all are taken',
    'refuses with RUNTIME_UNAVAILABLE when all addresses are taken, until one is released',
    otherwise((network) => ({
      attach: (request) => network.attach(request).catch(async () => ({ ips: ['10.0.0.1'], netns: `/simulated/${request.uid}` })),
    })),
  ),
  faulty(
    'gives the lowest free address',
    'does not give a released address to the next who asks while others are free',
    otherwise((network, host) => ({
      attach: (request) => {
        host.next = -1
        return network.attach(request)
      },
    })),
  ),
  faulty(
    'leaves namespaces behind',
    'leaves nothing behind, whatever the order of attaching and detaching',
    otherwise((network, host) => ({
      detach: async (uid) => {
        const known = host.held.get(uid)
        await network.detach(uid)
        if (known !== undefined) host.namespaces.set(known.netns, undefined)
      },
    })),
  ),
]
