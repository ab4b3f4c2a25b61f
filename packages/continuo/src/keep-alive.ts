import { MessageChannel } from 'node:worker_threads'

/** Keeps the process alive until the result is called: timers of hosts and clients do not. */
export function keepAlive(): () => void {
  const { port1, port2 } = new MessageChannel()
  port1.on('message', () => {})
  return () => {
    port1.close()
    port2.close()
  }
}
