import { request } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '@continuo/core'

const connectTimeoutMs = 10_000

/** Asks an agent, over a fresh stream to it, for a connection to a port of one of its pods. Rejects with what the agent says against it. */
export function tunnel(stream: Duplex, path: string, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      stream.destroy()
      reject(new RangeError(reason))
    }
    const asked = request({
      path,
      headers: { host: 'agent', connection: 'Upgrade', upgrade: 'tcp' },
      createConnection: () => stream,
      setHost: false,
      signal,
    })
    asked.once('upgrade', (_answer, upgraded, first) => {
      if (first.length > 0) upgraded.unshift(first)
      resolve(upgraded)
    })
    asked.once('response', (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        if (text.length < 1_000) text += chunk
      })
      answer.once('close', () => fail(text.trim() === '' ? `the agent answered ${answer.statusCode}` : text.trim()))
    })
    asked.once('error', (error) => fail(error.message))
    asked.end()
  })
}

/** A plain connection to an address of the network. */
export function dialAddress(host: string, port: number, clock: Clock, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal })
    const cancel = clock.after(connectTimeoutMs, () => socket.destroy(new RangeError(`no connection within ${connectTimeoutMs / 1000} s`)))
    socket.once('close', cancel)
    socket.once('connect', () => {
      cancel()
      socket.setNoDelay(true)
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}
