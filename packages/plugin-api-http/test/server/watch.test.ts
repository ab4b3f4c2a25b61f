import type { ClientHttp2Stream } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApi, startApi } from '../running-api.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'

let api: RunningApi
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const create = (name: string, labels: Record<string, string>, data: Record<string, string> = {}) =>
  api.call(configMaps, { method: 'POST', body: { metadata: { name, labels }, data } })

/** Lines of a watch as they come. */
class Lines {
  // biome-ignore lint/suspicious/noExplicitAny: tests look into objects of every kind
  readonly lines: any[] = []
  readonly stream: ClientHttp2Stream
  ended = false
  #rest = ''

  constructor(query: string, headers: Record<string, string> = {}) {
    this.stream = api.session().request({ ':path': `${configMaps}?watch=true&${query}`, ...headers })
    this.stream.setEncoding('utf8')
    this.stream.on('data', (text: string) => {
      const parts = (this.#rest + text).split('\n')
      this.#rest = parts.pop() as string
      for (const part of parts) this.lines.push(JSON.parse(part))
    })
    this.stream.on('end', () => {
      this.ended = true
    })
    this.stream.on('error', () => {})
  }

  get types(): string[] {
    return this.lines.map((line) => `${line.type} ${line.object.metadata?.name ?? ''}`.trim())
  }
}

const longRunning = async (): Promise<number> =>
  Number(/^apiserver_longrunning_requests (\d+)/m.exec((await api.call('/metrics')).text)?.[1] ?? 0)

describe('watch', () => {
  it('begins with the state and goes on with every change, in order', async () => {
    await create('w1', { set: 'order' })
    const watch = new Lines('labelSelector=set%3Dorder')
    await expect.poll(() => watch.types).toEqual(['ADDED w1'])
    await create('w2', { set: 'order' })
    await api.call(`${configMaps}/w1`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: '{"data":{"a":"1"}}',
    })
    await api.call(`${configMaps}/w2`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: '{"metadata":{"labels":{"set":"other"}}}',
    })
    await api.call(`${configMaps}/w1`, { method: 'DELETE' })
    await expect.poll(() => watch.types).toEqual(['ADDED w1', 'ADDED w2', 'MODIFIED w1', 'DELETED w2', 'DELETED w1'])
    expect(watch.lines[2].object).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', data: { a: '1' } })
    watch.stream.close()
  })

  it('resumes after a version', async () => {
    const first = await create('r1', { set: 'resume' })
    await create('r2', { set: 'resume' })
    const watch = new Lines(`labelSelector=set%3Dresume&resourceVersion=${first.json.metadata.resourceVersion}`)
    await expect.poll(() => watch.types).toEqual(['ADDED r2'])
    watch.stream.close()
  })

  it('streams a list that ends with a bookmark', async () => {
    await create('s1', { set: 'stream' })
    const watch = new Lines('labelSelector=set%3Dstream&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true')
    await expect.poll(() => watch.lines.length).toBe(2)
    expect(watch.lines[1]).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    })
    watch.stream.close()
  })

  it('sends tables, with columns in the first one only', async () => {
    await create('t1', { set: 'table' })
    await create('t2', { set: 'table' })
    const watch = new Lines('labelSelector=set%3Dtable', { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
    await expect.poll(() => watch.lines.length).toBe(2)
    expect(
      watch.lines.map((line) => [line.object.kind, line.object.columnDefinitions?.length ?? null, line.object.rows[0].cells[0]]),
    ).toEqual([
      ['Table', 3, 't1'],
      ['Table', null, 't2'],
    ])
    watch.stream.close()
  })

  it('follows one object by its deprecated path', async () => {
    await create('one', { set: 'one' })
    const stream = api.session().request({ ':path': '/api/v1/watch/namespaces/default/configmaps/one' })
    const first = await new Promise<string>((resolve) => stream.setEncoding('utf8').once('data', resolve))
    expect(JSON.parse(first)).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'one' } } })
    stream.close()
  })

  it('tells a version that is gone inside the watch', async () => {
    const watch = new Lines('resourceVersion=1')
    await expect.poll(() => watch.ended || watch.lines.length > 0).toBe(true)
    if (watch.lines[0]?.type === 'ERROR') expect(watch.lines[0].object).toMatchObject({ kind: 'Status', code: 410, reason: 'Expired' })
    watch.stream.close()
  })

  it('ends after its timeout', async () => {
    const watch = new Lines('timeoutSeconds=1')
    await expect.poll(() => watch.ended, { timeout: 5_000 }).toBe(true)
  })

  it('lets go when its client closes, on either version of HTTP', async () => {
    const before = await longRunning()
    const watch = new Lines('')
    await new Promise((resolve) => watch.stream.once('response', resolve))
    const url = new URL(api.endpoint.url)
    const plain = httpsRequest({
      host: url.hostname,
      port: url.port,
      path: `${configMaps}?watch=true`,
      ca: api.endpoint.authority,
      cert: api.endpoint.admin?.certificate,
      key: api.endpoint.admin?.privateKey,
      agent: false,
    })
    plain.on('error', () => {})
    const response = await new Promise<NodeJS.EventEmitter>((resolve) => plain.once('response', resolve).end())
    response.on('error', () => {})
    expect(await longRunning()).toBe(before + 2)
    watch.stream.close()
    plain.destroy()
    await expect.poll(longRunning).toBe(before)
  })

  it('neither drops events nor holds them for a client that reads slowly', async () => {
    const watch = new Lines('labelSelector=set%3Dslow')
    await new Promise((resolve) => watch.stream.once('response', resolve))
    watch.stream.pause()
    const big = 'x'.repeat(200_000)
    await create('slow', { set: 'slow' }, { big, at: '0' })
    for (let i = 1; i <= 30; i++)
      await api.call(`${configMaps}/slow`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify({ data: { at: String(i) } }),
      })
    watch.stream.resume()
    await expect.poll(() => watch.lines.length, { timeout: 10_000 }).toBe(31)
    expect(watch.lines.map((line) => line.object.data.at)).toEqual(Array.from({ length: 31 }, (_, i) => String(i)))
    watch.stream.close()
  })

  it.each(['sendInitialEvents=true', 'labelSelector=%21%21', 'fieldSelector=data%3D1', 'timeoutSeconds=x'])(
    'refuses %s before it begins',
    async (query) => {
      const answer = await api.call(`${configMaps}?watch=true&${query}`)
      expect([400, 422]).toContain(answer.status)
      expect(answer.json.kind).toBe('Status')
    },
  )
})
