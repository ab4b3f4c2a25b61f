import type { ProxyServicePort } from '@continuo/workload'
import type { Balancer } from './choose.ts'

/** What a listener looks at for each new connection: replaced when the service changes, without touching the listener. */
export interface Route {
  port: ProxyServicePort
  nodeName: string
  readonly external: boolean
  readonly balancer: Balancer
}

/** Accepts on one address until closed. Closing ends the listener and, for UDP, the flows; TCP connections go on to their end. */
export interface Listener {
  close(): Promise<void>
}
