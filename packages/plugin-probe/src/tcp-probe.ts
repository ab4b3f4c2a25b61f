import { connect } from 'node:net'
import type { Prober } from '@continuo/workload'
import { attempt } from './attempt.ts'

/** `tcpSocket`: success when a connection opens. */
export const tcpProbe: Prober = {
  run(target, signal) {
    const handler = target.handler as unknown as { readonly host?: string; readonly port: number | string }
    const port = target.port(handler.port)
    if (port === undefined) return Promise.resolve({ outcome: 'unknown', message: `couldn't find port: ${JSON.stringify(handler.port)}` })
    const host = handler.host === undefined || handler.host === '' ? target.podIP : handler.host
    return attempt(
      signal,
      `dial tcp ${host}:${port}: i/o timeout`,
      () =>
        new Promise((resolve) => {
          const socket = connect({ host, port, signal })
          socket.on('connect', () => {
            socket.destroy()
            resolve({ outcome: 'success', message: '' })
          })
          socket.on('error', (error) => resolve({ outcome: 'failure', message: `dial tcp ${host}:${port}: ${error.message}` }))
        }),
    )
  },
}
