import { type Duplex, duplexPair } from 'node:stream'
import { ContinuoError, definePlugin } from '@continuo/core'
import { type NodeDialer, NodeDialerCap, type NodeUplink, NodeUplinkCap } from '@continuo/workload'

/** Connections between agents and a control plane in one process: a dial is a pair of streams. */
export class LocalConnections implements NodeDialer, NodeUplink {
  readonly #offers = new Map<string, { readonly accept: (stream: Duplex) => void; readonly open: Set<Duplex> }>()

  async dial(node: string, signal: AbortSignal): Promise<Duplex> {
    signal.throwIfAborted()
    const offer = this.#offers.get(node)
    if (offer === undefined) {
      throw new ContinuoError('NODE_NOT_CONNECTED', `no agent of node ${JSON.stringify(node)} is connected to this replica`, {
        hint: 'check that the node runs; its agent connects again by itself',
      })
    }
    const [ours, theirs] = duplexPair()
    offer.open.add(theirs)
    endTogether(ours, theirs)
    theirs.on('close', () => offer.open.delete(theirs))
    offer.accept(theirs)
    return ours
  }

  connected(): readonly string[] {
    return [...this.#offers.keys()]
  }

  async offer(node: string, accept: (stream: Duplex) => void): Promise<AsyncDisposable> {
    const offer = { accept, open: new Set<Duplex>() }
    this.#offers.set(node, offer)
    return {
      [Symbol.asyncDispose]: async () => {
        if (this.#offers.get(node) === offer) this.#offers.delete(node)
        for (const stream of offer.open) stream.destroy()
      },
    }
  }
}

/** A pair of streams does not tell one end that the other was destroyed; a connection does. */
function endTogether(one: Duplex, other: Duplex): void {
  const tell = (from: Duplex, to: Duplex): void => {
    from.on('close', () => {
      if (!from.readableEnded || !from.writableFinished) to.destroy()
    })
  }
  tell(one, other)
  tell(other, one)
}

/** Lets agents in the same process be dialled by its control plane. Nodes get the uplink by inheritance between hosts. */
export const nodeConnections = definePlugin({
  name: 'node-connections',
  api: '^1',
  roles: ['control-plane'],
  provides: [NodeDialerCap, NodeUplinkCap],
  setup(ctx) {
    const connections = new LocalConnections()
    ctx.provide(NodeDialerCap, connections)
    ctx.provide(NodeUplinkCap, connections)
  },
})
