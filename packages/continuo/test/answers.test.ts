import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { answers } from '../src/manifests/answers.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function ask(server: Server): Promise<boolean> {
  server.listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return answers('127.0.0.1', (server.address() as AddressInfo).port, AbortSignal.timeout(5_000))
}

it('is true for any HTTP response and for other protocols that speak', async () => {
  expect(await ask(createHttpServer((_, response) => response.writeHead(503).end()))).toBe(true)
  expect(await ask(createServer((socket) => socket.end('220 mail\r\n\r\n')))).toBe(true)
})

it('is false for a connection that is accepted and reset, silent, or refused', async () => {
  expect(await ask(createServer((socket) => socket.resetAndDestroy()))).toBe(false)
  expect(await ask(createServer((socket) => socket.on('error', () => {})))).toBe(false)
  expect(await answers('127.0.0.1', 1, AbortSignal.timeout(5_000))).toBe(false)
})
