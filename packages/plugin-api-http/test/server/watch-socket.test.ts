import { decodeProtobuf } from '@continuo/workload'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RawData, WebSocket } from 'ws'
import { type RunningApi, startApi } from '../running-api.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
const protobuf = 'application/vnd.kubernetes.protobuf'

let api: RunningApi
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api[Symbol.asyncDispose]())

function open(path: string, headers: Record<string, string> = {}) {
  const { certificate, privateKey } = api.endpoint.admin ?? {}
  const socket = new WebSocket(`${api.endpoint.url.replace(/^http/, 'ws')}${path}`, {
    ca: api.endpoint.authority,
    cert: certificate,
    key: privateKey,
    headers,
  })
  const seen = { socket, messages: [] as { binary: boolean; data: Buffer }[], refused: 0, closed: false }
  socket.on('message', (data: RawData, binary: boolean) => seen.messages.push({ binary, data: data as Buffer }))
  socket.on('unexpected-response', (_, response) => {
    seen.refused = response.statusCode ?? 0
    response.resume()
  })
  socket.on('close', () => {
    seen.closed = true
  })
  socket.on('error', () => {})
  return seen
}

const create = (name: string, set: string) => api.call(configMaps, { method: 'POST', body: { metadata: { name, labels: { set } } } })
const longRunning = async (): Promise<number> =>
  Number(/^apiserver_longrunning_requests (\d+)/m.exec((await api.call('/metrics')).text)?.[1] ?? 0)

describe('watch over a WebSocket', () => {
  it('sends one event in each text message', async () => {
    await create('a', 'text')
    const seen = open(`${configMaps}?watch=true&labelSelector=set%3Dtext`)
    await expect.poll(() => seen.messages.length).toBe(1)
    await create('b', 'text')
    await expect.poll(() => seen.messages.length).toBe(2)
    expect(seen.messages.map(({ binary }) => binary)).toEqual([false, false])
    expect(seen.messages.map(({ data }) => JSON.parse(String(data)))).toMatchObject([
      { type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name: 'a' } } },
      { type: 'ADDED', object: { metadata: { name: 'b' } } },
    ])
    seen.socket.close()
  })

  it('sends binary messages, without lengths of their own, to those who want protobuf', async () => {
    await create('p', 'binary')
    const seen = open(`${configMaps}?watch=true&labelSelector=set%3Dbinary`, { accept: protobuf })
    await expect.poll(() => seen.messages.length).toBe(1)
    const { binary, data } = seen.messages[0] as { binary: boolean; data: Buffer }
    expect([binary, data.subarray(0, 7).toString()]).toEqual([true, '\n\u0005ADDED'])
    const object = decodeProtobuf(data.subarray(data.indexOf('k8s\0')))
    expect(object.value).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'p' } })
    seen.socket.close()
  })

  it('refuses before the upgrade what cannot begin', async () => {
    const [bad, absent] = [open(`${configMaps}?watch=true&labelSelector=%21%21`), open('/api/v1/nothings?watch=true')]
    await expect.poll(() => [bad.refused, absent.refused]).toEqual([400, 404])
  })

  it('ends after its timeout', async () => {
    const seen = open(`${configMaps}?watch=true&timeoutSeconds=1`)
    await expect.poll(() => seen.closed, { timeout: 5_000 }).toBe(true)
  })

  it('lets go when its client closes', async () => {
    const before = await longRunning()
    const seen = open(`${configMaps}?watch=true`)
    await expect.poll(longRunning).toBe(before + 1)
    seen.socket.terminate()
    await expect.poll(longRunning).toBe(before)
  })

  it('lets go of a handshake that is none', async () => {
    const before = await longRunning()
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
    const key = Buffer.alloc(16).toString('base64')
    const wrongs: Record<string, string>[] = [
      {},
      { 'sec-websocket-key': 'x' },
      { 'sec-websocket-key': key, 'sec-websocket-protocol': ',,' },
    ]
    for (const wrong of wrongs) {
      const { json } = await api.call(`${configMaps}?watch=true`, { headers: { ...headers, ...wrong } })
      expect(json).toMatchObject({ kind: 'Status', code: 400, message: expect.stringContaining('the WebSocket could not be opened: ') })
    }
    await expect.poll(longRunning).toBe(before)
  })
})
