import { afterEach, describe, expect, it } from 'vitest'
import { FlowControl } from '../../src/server/flow-control.ts'
import { type RunningApi, startApi } from '../running-api.ts'

let api: RunningApi | undefined
afterEach(async () => {
  await api?.[Symbol.asyncDispose]()
  api = undefined
})

const path = '/api/v1/namespaces/default/configmaps'

describe('flow control', () => {
  it('refuses one more than its limit, and takes it after one has left', () => {
    const flow = new FlowControl({ reads: 2, writes: 1, longRunning: 1 })
    flow.enter('read')
    flow.enter('read')
    expect(() => flow.enter('read')).toThrow(expect.objectContaining({ status: 429, details: { retryAfterSeconds: 1 } }))
    flow.enter('write')
    flow.enter('exempt')
    flow.leave('read')
    flow.enter('read')
    expect(flow.inFlight).toEqual({ read: 2, write: 1, 'long-running': 0 })
  })

  it('answers 429 with Retry-After to one watch too many, and frees the place when a watch ends', async () => {
    api = await startApi({ limits: { longRunning: 1 } })
    const session = api.session()
    const watch = session.request({ ':path': `${path}?watch=true` })
    await new Promise((resolve) => watch.once('response', resolve))
    const refused = await api.call(`${path}?watch=true&timeoutSeconds=1`)
    expect([refused.status, refused.headers['retry-after'], refused.json.reason]).toEqual([429, '1', 'TooManyRequests'])
    expect((await api.call(path)).status).toBe(200)
    watch.close()
    await expect
      .poll(async () => (await (api as RunningApi).call(`${path}?watch=true&timeoutSeconds=1`)).status, { timeout: 5_000 })
      .toBe(200)
  })
})

describe('stopping', () => {
  it('ends watches and connections and frees the port', async () => {
    api = await startApi()
    const session = api.session()
    const watch = session.request({ ':path': `${path}?watch=true` })
    await new Promise((resolve) => watch.once('response', resolve))
    const ended = new Promise((resolve) => watch.once('end', resolve).resume())
    const closed = new Promise((resolve) => session.once('close', resolve))
    await api.host.stop()
    await ended
    await closed
    await expect(api.call('/version')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('keeps its authority and certificates over a restart in the same directory', async () => {
    api = await startApi()
    const { authority } = api.endpoint
    const second = await startApi({ certificateDir: `${api.directory}/pki` })
    expect(second.endpoint.authority).toBe(authority)
    expect(second.endpoint.admin).toEqual(api.endpoint.admin)
    await second[Symbol.asyncDispose]()
  })
})

describe('the port', () => {
  it('names a port in use and what to do', async () => {
    api = await startApi()
    const { port } = new URL(api.endpoint.url)
    await expect(startApi({ listen: `127.0.0.1:${port}` })).rejects.toThrow(/EADDRINUSE/)
  })

  it.each(['0.0.0.0', '127.evil.example', 'localhost.evil.example'])(
    'refuses plain HTTP on %s, which is no loopback address',
    async (host) => {
      await expect(startApi({ listen: `${host}:0`, tls: false })).rejects.toThrow(/plain HTTP/)
    },
  )

  it('serves plain HTTP on loopback, to nobody in particular', async () => {
    api = await startApi({ tls: false })
    expect(api.endpoint.url).toMatch(/^http:/)
    const answer = await fetch(`${api.endpoint.url}/version`)
    expect(answer.status).toBe(200)
    expect((await fetch(`${api.endpoint.url}/api`)).status).toBe(403)
  })
})
