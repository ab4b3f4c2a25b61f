import type { Duplex } from 'node:stream'
import { AgentRequestError } from './stream-path.ts'
import type { UpgradeRequest } from './upgrade.ts'

/**
 * Connects the stream with a port of the pod's sandbox: bytes in both directions, and nothing else. What the control plane speaks over it,
 * TLS or WebSockets, is between it and the pod. Resolves when the connection has ended.
 */
export async function serveDial({ url, socket, head, runtime, sandbox, signal }: UpgradeRequest): Promise<void> {
  const port = Number(url.searchParams.get('port'))
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new AgentRequestError(400, `not a port: ${url.searchParams.get('port')}`)
  let target: Duplex
  try {
    target = await runtime.portForward(sandbox, port, signal)
  } catch (error) {
    throw new AgentRequestError(503, `port ${port} cannot be reached: ${error instanceof Error ? error.message : error}`)
  }
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
  if (head.length > 0) target.write(head)
  await new Promise<void>((resolve) => {
    const cut = (): void => {
      target.destroy()
      socket.destroy()
    }
    target.on('error', cut).once('close', () => {
      if (!target.readableEnded) socket.destroy()
      resolve()
    })
    socket.on('error', cut).once('close', () => target.destroy())
    signal.addEventListener('abort', cut, { once: true })
    target.once('close', () => signal.removeEventListener('abort', cut))
    if (signal.aborted) cut()
    socket.pipe(target).pipe(socket)
  })
}
