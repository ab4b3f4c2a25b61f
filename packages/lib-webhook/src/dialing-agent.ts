import type { ClientRequestArgs } from 'node:http'
import { Agent, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'

/** Options of a request whose connection somebody else opens. */
export interface DialledOptions extends RequestOptions {
  readonly dial?: () => Promise<Duplex>
}

type Created = (error: Error | null, stream: Duplex) => void

/** Keeps connections like its parent; those to services are TLS over a stream that the control plane has dialled. */
export class DialingAgent extends Agent {
  // biome-ignore lint/suspicious/noExplicitAny: the declaration of Node.js knows no asynchronous creation, which Node.js itself documents
  override createConnection(options: ClientRequestArgs, callback?: (error: Error | null, stream: Duplex) => void): any {
    const { dial, ...rest } = options as DialledOptions
    if (dial === undefined) return super.createConnection(options, callback)
    const done = callback as Created
    dial().then(
      (socket) => done(null, super.createConnection({ ...rest, socket } as ClientRequestArgs) as Duplex),
      (error: Error) => (done as (error: Error) => void)(error),
    )
    return undefined
  }
}
