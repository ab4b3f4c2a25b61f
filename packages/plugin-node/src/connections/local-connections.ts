import { type Duplex, duplexPair } from 'node:stream'
import type { NodeDialer, NodeUplink } from '@continuo/workload'
import { notConnected } from './not-connected.ts'

/** Connections between agents and a control plane in one process: a dial is a pair of streams. */
export class LocalConnections implements NodeDialer, NodeUplink {
  readonly #offers = new Map<string, { readonly accept: (stream: Duplex) => void; readonly open: Set<Duplex> }>()

  async dial(node: string, signal: AbortSignal): Promise<Duplex> {
    signal.throwIfAborted()
    const offer = this.#offers.get(node)
    if (offer === undefined) throw notConnected(node)
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
