import { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

/** A byte stream inside the binary messages of a WebSocket; the limits of messages mean nothing. */
export function webSocketTransport(webSocket: WebSocket): Duplex {
  const transport = new Duplex({
    allowHalfOpen: true,
    highWaterMark: 65_536,
    read() {
      if (webSocket.isPaused) webSocket.resume()
    },
    write(chunk: Buffer, _encoding, done) {
      if (webSocket.readyState !== webSocket.OPEN) return done()
      webSocket.send(chunk, { binary: true }, () => done())
    },
    final(done) {
      webSocket.close(1000)
      done()
    },
    destroy(error, done) {
      if (webSocket.readyState !== webSocket.CLOSED && webSocket.readyState !== webSocket.CLOSING) webSocket.terminate()
      done(error)
    },
  })
  webSocket.on('message', (data: Buffer) => {
    if (!transport.destroyed && !transport.readableEnded && !transport.push(data)) webSocket.pause()
  })
  webSocket.on('close', () => {
    if (!transport.destroyed) transport.push(null)
  })
  webSocket.on('error', () => webSocket.terminate())
  return transport
}
