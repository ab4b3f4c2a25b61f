import { systemClock } from '@continuo/core'
import type { ProxyServicePort, ProxyState, ServiceProxy } from '@continuo/workload'

/** A way to break a sound proxy, and a check that must notice it. */
export interface BrokenProxy {
  readonly fault: string
  readonly caughtBy: string
  /** It breaks only proxies that hold sockets: the kernel keeps a connection whose rules went away. */
  readonly ofSockets?: boolean
  breaks(sound: ServiceProxy): ServiceProxy
}

type Apply = ServiceProxy['apply']

const faulty = (sound: ServiceProxy, change: { readonly apply?: Apply; readonly clear?: () => Promise<void> }): ServiceProxy => ({
  name: sound.name,
  apply: change.apply ?? ((update) => sound.apply(update)),
  clear: change.clear ?? (() => sound.clear()),
})

/** A proxy that sees every service port through a distortion. */
const distorted =
  (change: (port: ProxyServicePort) => ProxyServicePort | undefined) =>
  (sound: ServiceProxy): ServiceProxy => {
    // One result for each port: a sound proxy below may go by identity.
    const known = new WeakMap<ProxyServicePort, ProxyServicePort | undefined>()
    const seen = (port: ProxyServicePort): ProxyServicePort | undefined => {
      if (!known.has(port)) known.set(port, change(port))
      return known.get(port)
    }
    const state = ({ nodeName, ports }: ProxyState): ProxyState => ({
      nodeName,
      ports: new Map(
        [...ports].flatMap(([id, port]): [string, ProxyServicePort][] => {
          const changed = seen(port)
          return changed === undefined ? [] : [[id, changed]]
        }),
      ),
    })
    return faulty(sound, { apply: (update) => sound.apply({ ...update, state: state(update.state) }) })
  }

/** Proxies that the suite must not let pass. */
export const brokenProxies: readonly BrokenProxy[] = [
  {
    fault: 'makes everything anew each time',
    caughtBy: 'changes nothing when the same state is applied twice, whoever made it and however it is told',
    breaks: (sound) =>
      faulty(sound, {
        async apply({ state }) {
          await sound.clear()
          return sound.apply({ state })
        },
      }),
  },
  {
    fault: 'is away for a moment with each change',
    caughtBy: 'keeps every service routable while others come, go and change',
    breaks: (sound) =>
      faulty(sound, {
        async apply({ state }) {
          await sound.clear()
          await systemClock.sleep(5)
          return sound.apply({ state })
        },
      }),
  },
  {
    fault: 'does not listen to changes',
    caughtBy: 'changes what has changed and nothing else',
    breaks: (sound) =>
      faulty(sound, { apply: (update) => sound.apply(update.changed === undefined ? update : { ...update, changed: new Set() }) }),
  },
  {
    fault: 'takes every endpoint for ready',
    caughtBy: 'sends traffic to every ready endpoint and to no other',
    breaks: distorted((port) => ({ ...port, endpoints: port.endpoints.map((endpoint) => ({ ...endpoint, ready: true })) })),
  },
  {
    fault: 'knows only the first endpoint',
    caughtBy: 'sends traffic to every ready endpoint and to no other',
    breaks: distorted((port) => ({ ...port, endpoints: port.endpoints.slice(0, 1) })),
  },
  {
    fault: 'drops endpoints as soon as they terminate',
    caughtBy: 'falls back to endpoints that serve while they terminate, as long as there is no other',
    breaks: distorted((port) => ({ ...port, endpoints: port.endpoints.filter(({ terminating }) => !terminating) })),
  },
  {
    fault: 'does not care where endpoints are',
    caughtBy: 'keeps to endpoints of its node where the policy is Local',
    breaks: distorted((port) => ({ ...port, internalTrafficPolicy: 'Cluster' })),
  },
  {
    fault: 'forgets who was where',
    caughtBy: 'keeps a client at its endpoint with session affinity, until that endpoint goes',
    breaks: distorted((port) => ({ ...port, sessionAffinitySeconds: undefined })),
  },
  {
    fault: 'knows no datagrams',
    caughtBy: 'carries datagrams there and back, and follows endpoints that change',
    breaks: distorted((port) => (port.protocol === 'UDP' ? undefined : port)),
  },
  {
    fault: 'has no node ports',
    caughtBy: 'answers on node ports',
    breaks: distorted((port) => ({ ...port, nodePort: undefined })),
  },
  {
    fault: 'keeps services that are gone',
    caughtBy: 'lets go of a service that is removed, and of that alone; its address may pass to another at once',
    breaks(sound) {
      const all = new Map<string, ProxyServicePort>()
      return faulty(sound, {
        apply(update) {
          for (const [id, port] of update.state.ports) all.set(id, port)
          return sound.apply({ ...update, state: { ...update.state, ports: new Map(all) } })
        },
      })
    },
  },
  {
    fault: 'cuts connections with each change',
    ofSockets: true,
    caughtBy: 'lets open connections live when their endpoint leaves',
    breaks: (sound) =>
      faulty(sound, {
        async apply({ state }) {
          await sound.clear()
          return sound.apply({ state })
        },
      }),
  },
  {
    fault: 'hides its problems',
    caughtBy: 'says why a service cannot be reached for as long as that is so, routes the others, and heals',
    breaks: (sound) => faulty(sound, { apply: async (update) => ({ ...(await sound.apply(update)), problems: [] }) }),
  },
  {
    fault: 'tells a problem once',
    caughtBy: 'says why a service cannot be reached for as long as that is so, routes the others, and heals',
    breaks(sound) {
      const told = new Set<string>()
      return faulty(sound, {
        async apply(update) {
          const result = await sound.apply(update)
          const fresh = result.problems.filter(({ id }) => !told.has(id))
          for (const { id } of fresh) told.add(id)
          return { ...result, problems: fresh }
        },
      })
    },
  },
  {
    fault: 'leaves everything behind',
    caughtBy: 'leaves nothing when it is cleared, twice too, and can begin again',
    breaks: (sound) => faulty(sound, { clear: async () => {} }),
  },
]
