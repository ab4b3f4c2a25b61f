import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import type { Duplex } from 'node:stream'
import { type Heartbeat, keepAlive } from './keep-alive.ts'
import { notConnected } from './not-connected.ts'
import { connectionWindow, maxStreams, sessionSettings } from './protocol.ts'

/** The control plane's end of a connection that an agent opened. */
export class AgentConnection {
  readonly #node: string
  readonly #session: ClientHttp2Session
  #open = 0

  constructor(node: string, socket: Duplex, heartbeat: Heartbeat) {
    this.#node = node
    this.#session = connect('http://agent', { createConnection: () => socket, settings: { ...sessionSettings, maxConcurrentStreams: 0 } })
    // Whoever has a stream on it is told by that stream.
    this.#session.on('error', () => this.close())
    this.#session.once('connect', () => this.#session.setLocalWindowSize(connectionWindow))
    keepAlive(this.#session, heartbeat)
  }

  get usable(): boolean {
    return !this.#session.closed && !this.#session.destroyed
  }

  onClose(listener: () => void): void {
    this.#session.once('close', listener)
  }

  close(): void {
    this.#session.destroy()
  }

  /** A stream that the agent has accepted. Throws `NODE_NOT_CONNECTED`. */
  dial(signal: AbortSignal): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      if (!this.usable || this.#open >= maxStreams) return reject(notConnected(this.#node))
      let stream: ClientHttp2Stream
      try {
        stream = this.#session.request({ ':method': 'CONNECT', ':authority': 'agent' })
      } catch (cause) {
        return reject(notConnected(this.#node, cause))
      }
      this.#open += 1
      const abort = (): void => stream.close(constants.NGHTTP2_CANCEL)
      signal.addEventListener('abort', abort, { once: true })
      const settled = (): void => signal.removeEventListener('abort', abort)
      const refuse = (cause?: unknown): void => {
        settled()
        reject(signal.aborted ? signal.reason : notConnected(this.#node, cause))
      }
      stream.once('error', refuse)
      stream.once('close', () => {
        this.#open -= 1
        refuse()
      })
      stream.once('response', (headers) => {
        if (headers[':status'] !== 200) return abort()
        settled()
        stream.off('error', refuse)
        resolve(stream)
      })
      if (signal.aborted) abort()
    })
  }
}
