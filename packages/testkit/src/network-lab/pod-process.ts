import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { systemClock } from '@continuo/core'
import { serveNamespace } from './namespace-process.ts'

/** What happens in a pod or on a client: a program that answers with its name and with who asked, and one that asks. */
const clients = new Map<number, UdpSocket>()

async function serve(name: string, ip: string, port: number): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.end(`${name} ${socket.remoteAddress?.replace('::ffff:', '')}`)
  })
  server.listen(port, '::')
  await once(server, 'listening')
  const datagrams = createSocket('udp4', (message, from) => datagrams.send(`${name} ${from.address} ${message}`, from.port, from.address))
  // At one address, so that answers come from there.
  datagrams.bind(port, ip)
  await once(datagrams, 'listening')
}

/** The answer; or the code of the error: `ECONNREFUSED` when nobody is there, `TIMEOUT` when nothing comes at all. */
export async function askTcp(ip: string, port: number, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect({ host: ip, port })
    const stop = systemClock.after(timeoutMs, () => done('TIMEOUT'))
    const done = (answer: string): void => {
      stop()
      socket.destroy()
      resolve(answer)
    }
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
    socket.on('end', () => done(text))
  })
}

/** As {@link askTcp}, by a datagram from one port for all that are asked under the same `client`. */
export async function askUdp(client: number, ip: string, port: number, timeoutMs: number): Promise<string> {
  let socket = clients.get(client)
  if (socket === undefined) {
    socket = createSocket('udp4')
    socket.on('error', () => {})
    clients.set(client, socket)
  }
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) }).then(
    ([message]) => String(message),
    (error: NodeJS.ErrnoException) => (error.name === 'AbortError' ? 'TIMEOUT' : (error.code ?? error.message)),
  )
  socket.send('x', port, ip)
  return answer
}

if (process.argv[1]?.endsWith('pod-process.ts') || process.argv[1]?.endsWith('pod-process.js'))
  serveNamespace({ serve, tcp: askTcp, udp: askUdp })
