import { request } from 'node:http'
import type { AuthenticationRequest } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { isLocal, localUsers } from '../../src/access/local-users.ts'
import { startApi } from '../running-api.ts'

const local: AuthenticationRequest = { headers: { host: '127.0.0.1:6443' }, remoteAddress: '127.0.0.1' }
const withHeaders = (headers: AuthenticationRequest['headers']) => isLocal({ ...local, headers: { ...local.headers, ...headers } })

describe('a request of this machine', () => {
  it.each(['127.0.0.1:1', '127.8.8.8', 'localhost:8080', '[::1]:8080'])('by the name %s', (host) =>
    expect(withHeaders({ host })).toBe(true),
  )
  it.each(['::1', '::ffff:127.0.0.1'])('from %s', (remoteAddress) => expect(isLocal({ ...local, remoteAddress })).toBe(true))
  it('over HTTP/2', () => expect(isLocal({ ...local, headers: { ':authority': 'localhost' } })).toBe(true))
  it('of a page of this machine', () => expect(withHeaders({ origin: 'http://localhost:3000' })).toBe(true))
})

describe('is no request of this machine', () => {
  it.each(['10.0.0.7', '', '::ffff:10.0.0.7'])('from %j', (remoteAddress) => expect(isLocal({ ...local, remoteAddress })).toBe(false))
  it.each(['evil.example', '127.0.0.1.evil.example:6443', 'localhost.evil.example', '127.evil.example', ''])('by the name %j', (host) =>
    expect(withHeaders({ host })).toBe(false),
  )
  it.each(['https://evil.example', 'null'])('of a page of %s', (origin) => expect(withHeaders({ origin })).toBe(false))
  it('through a proxy', () => {
    expect(withHeaders({ 'x-forwarded-for': '10.0.0.7' })).toBe(false)
    expect(withHeaders({ forwarded: 'for=10.0.0.7' })).toBe(false)
  })
  it('with a token that somebody else must know', () => expect(withHeaders({ authorization: 'Bearer x' })).toBe(false))
})

it('needs no credentials over plain HTTP, and a page that had itself resolved to loopback gets nothing', async () => {
  await using api = await startApi({ tls: false }, [{ slot: 'local-users', plugin: localUsers }])
  const status = (headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) =>
      request(`${api.endpoint.url}/api/v1/namespaces`, { headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end(),
    )
  expect(await status({})).toBe(200)
  expect(await status({ host: 'evil.example' })).toBe(403)
  expect(await status({ origin: 'https://evil.example' })).toBe(403)
})
