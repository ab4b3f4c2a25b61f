import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A way to a server that a test can spoil: what is sent can be cut, dropped on the floor, or held back, in each direction. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** Connections that are open now. */
  readonly connections: number
  /** Ends every connection; later ones are refused until `restore`. */
  cut(): void
  /** Takes what either side sends and passes none of it on: a partition. */
  partition(): void
  /** Passes requests on and drops the answers. */
  dropAnswers(): void
  /** Holds back what either side sends for so long. */
  delay(ms: number): void
  /** Passes on again; connections over which something was dropped are ended, as a network that heals would let them time out. */
  restore(): void
}

type Mode = { readonly requests: boolean; readonly answers: boolean; readonly refuse: boolean; readonly delayMs: number }
const clear: Mode = { requests: true, answers: true, refuse: false, delayMs: 0 }

export async function startProxy(target: number): Promise<TcpProxy> {
  let mode = clear
  const pairs = new Set<readonly [Socket, Socket]>()
  const endAll = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy()
  }
  const pass = (from: Socket, to: Socket, open: () => boolean): void => {
    // Bytes never overtake each other, as on no connection they do: also when the delay ends while some are held back.
    const held: { readonly at: number; readonly data: Buffer }[] = []
    const release = (): void => {
      while (held[0] !== undefined && held[0].at <= performance.now()) to.write((held.shift() as { data: Buffer }).data)
      if (held[0] !== undefined) setTimeout(release, held[0].at - performance.now())
    }
    from.on('data', (data: Buffer) => {
      if (!open()) return
      if (mode.delayMs === 0 && held.length === 0) return void to.write(data)
      held.push({ at: performance.now() + mode.delayMs, data })
      if (held.length === 1) setTimeout(release, mode.delayMs)
    })
    from.on('error', () => {})
    from.on('close', () => to.destroy())
  }
  const server = createServer((inner) => {
    if (mode.refuse) return inner.destroy()
    const outer = connect(target, '127.0.0.1')
    const pair = [inner, outer] as const
    pairs.add(pair)
    inner.on('close', () => pairs.delete(pair))
    pass(inner, outer, () => mode.requests)
    pass(outer, inner, () => mode.answers)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as { port: number }).port,
    get connections() {
      return pairs.size
    },
    cut() {
      mode = { ...clear, refuse: true }
      endAll()
    },
    partition() {
      mode = { ...clear, requests: false, answers: false }
    },
    dropAnswers() {
      mode = { ...clear, answers: false }
    },
    delay(ms) {
      mode = { ...clear, delayMs: ms }
    },
    restore() {
      if (!mode.requests || !mode.answers) endAll()
      mode = clear
    },
    async [Symbol.asyncDispose]() {
      endAll()
      server.close()
    },
  }
}
