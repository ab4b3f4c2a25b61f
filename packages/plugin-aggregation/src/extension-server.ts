import { type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import { ContinuoError, type DeepReadonly } from '@continuo/core'
import type { APIService, ClusterDialer } from '@continuo/workload'
import type { FrontProxy } from './front-proxy.ts'

/** Largest document that is taken from another server. */
const maxBytes = 16 * 1024 * 1024

const fault = (message: string, cause?: unknown): ContinuoError => new ContinuoError('AGGREGATION_BAD_ANSWER', message, { cause })

/** A server behind an APIService, over TLS with the certificate of the front proxy. */
export class ExtensionServer {
  readonly #spec: NonNullable<DeepReadonly<APIService>['spec']>
  readonly #dialer: ClusterDialer
  readonly #proxy: () => FrontProxy
  /** Saves the next connection most of its handshake. */
  #session: Buffer | undefined

  constructor(spec: NonNullable<DeepReadonly<APIService>['spec']>, dialer: ClusterDialer, proxy: () => FrontProxy) {
    this.#spec = spec
    this.#dialer = dialer
    this.#proxy = proxy
  }

  /** The name for which it must have a certificate. */
  get host(): string {
    const { name = '', namespace = '' } = this.#spec.service ?? {}
    return `${name}.${namespace}.svc`
  }

  /** A fresh connection, verified. Throws `ApiError` where the service leads nowhere, else what TLS says. */
  async open(signal: AbortSignal): Promise<Duplex> {
    const { service, caBundle, insecureSkipTLSVerify } = this.#spec
    const { stream } = await this.#dialer.service(
      { namespace: service?.namespace ?? '', name: service?.name ?? '' },
      service?.port ?? 443,
      signal,
    )
    const { certificate, privateKey } = this.#proxy()
    return new Promise((resolve, reject) => {
      const socket = connect({
        socket: stream,
        servername: this.host,
        cert: certificate,
        key: privateKey,
        ALPNProtocols: ['http/1.1'],
        minVersion: 'TLSv1.2',
        rejectUnauthorized: insecureSkipTLSVerify !== true,
        ...(caBundle === undefined || caBundle === '' ? {} : { ca: Buffer.from(caBundle, 'base64').toString('utf8') }),
        ...(this.#session === undefined ? {} : { session: this.#session }),
      })
      const fail = (error: Error): void => {
        this.#session = undefined
        stream.destroy()
        reject(error)
      }
      socket.on('session', (session: Buffer) => {
        this.#session = session
      })
      socket.once('error', fail)
      socket.once('secureConnect', () => {
        socket.off('error', fail)
        resolve(socket)
      })
      stream.once('close', () => socket.destroy())
    })
  }

  /** A document of the server. Throws `AGGREGATION_BAD_ANSWER` for anything but 200, and what {@link open} throws. */
  async fetch(path: string, headers: Readonly<Record<string, string | string[]>>, signal: AbortSignal): Promise<Uint8Array> {
    const stream = await this.open(signal)
    try {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const asked = request({
          path,
          headers: { accept: 'application/json', ...headers, host: this.host },
          createConnection: () => stream,
          setHost: false,
          signal,
        })
        asked.once('response', resolve).once('error', reject).end()
      })
      if (answer.statusCode !== 200) throw fault(`bad status from https://${this.host}${path}: ${answer.statusCode}`)
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of answer) {
        size += (chunk as Buffer).length
        if (size > maxBytes) throw fault(`the answer of https://${this.host}${path} is larger than ${maxBytes} bytes`)
        chunks.push(chunk as Buffer)
      }
      return Buffer.concat(chunks, size)
    } finally {
      stream.destroy()
    }
  }
}
