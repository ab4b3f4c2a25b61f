import { request as httpsRequest } from 'node:https'
import { gunzipSync } from 'node:zlib'
import { decodeProtobuf, encodeProtobuf } from '@continuo/workload'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type RunningApi, startApi } from '../running-api.ts'

const protobuf = 'application/vnd.kubernetes.protobuf'
const configMaps = '/api/v1/namespaces/default/configmaps'
const widgets = '/apis/demo.io/v1/namespaces/default/widgets'

let api: RunningApi
beforeAll(async () => {
  api = await startApi()
  await api.call('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    method: 'POST',
    body: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'widgets.demo.io' },
      spec: {
        group: 'demo.io',
        scope: 'Namespaced',
        names: { plural: 'widgets', kind: 'Widget' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    },
  })
  await vi.waitFor(async () => expect((await api.call(widgets)).status).toBe(200))
})
afterAll(() => api[Symbol.asyncDispose]())

/** An answer as bytes: over HTTP/1.1, with the status and the type. */
function fetch(path: string, accept: string, options: { method?: string; body?: Uint8Array; headers?: Record<string, string> } = {}) {
  return new Promise<{ status: number; type: string; encoding: string | undefined; bytes: Buffer }>((resolve, reject) => {
    const { ca, cert, key, host, port } = connection()
    const request = httpsRequest(
      { ca, cert, key, host, port, path, method: options.method ?? 'GET', agent: false, headers: { accept, ...options.headers } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers['content-type'] ?? '',
            encoding: response.headers['content-encoding'],
            bytes: Buffer.concat(chunks),
          }),
        )
      },
    )
    request.on('error', reject)
    request.end(options.body)
  })
}

const connection = () => {
  const url = new URL(api.endpoint.url)
  const { certificate, privateKey } = api.endpoint.admin ?? {}
  return { host: url.hostname, port: url.port, ca: api.endpoint.authority, cert: certificate, key: privateKey }
}

const create = (name: string, labels: Record<string, string> = {}, data: Record<string, string> = {}) =>
  api.call(configMaps, { method: 'POST', body: { metadata: { name, labels }, data } })

describe('protobuf answers', () => {
  it('carry an object, and the one that a write made', async () => {
    const body = encodeProtobuf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'both' }, data: { a: '1' } } as never)
    const made = await fetch(configMaps, protobuf, { method: 'POST', body: Buffer.from(body), headers: { 'content-type': protobuf } })
    expect([made.status, made.type]).toEqual([201, protobuf])
    expect(decodeProtobuf(made.bytes).value).toMatchObject({
      kind: 'ConfigMap',
      metadata: { name: 'both', namespace: 'default' },
      data: { a: '1' },
    })
    const read = await fetch(`${configMaps}/both`, protobuf)
    expect(decodeProtobuf(read.bytes).value).toEqual((await api.call(`${configMaps}/both`)).json)
  })

  it('carry lists with all that JSON lists say', async () => {
    for (const name of ['l1', 'l2', 'l3']) await create(name, { set: 'list' }, { name })
    const path = `${configMaps}?labelSelector=set%3Dlist`
    const list = await fetch(path, protobuf)
    expect(list.type).toBe(protobuf)
    const json = (await api.call(path)).json
    const { value } = decodeProtobuf(list.bytes)
    expect([value.kind, value.apiVersion, value.metadata]).toEqual([json.kind, json.apiVersion, json.metadata])
    // What the items are is said once, by the list.
    const bare = json.items.map(({ apiVersion: _, kind: __, ...item }: Record<string, unknown>) => item)
    expect(value.items).toEqual(bare)
    const page = decodeProtobuf((await fetch(`${configMaps}?limit=1`, protobuf)).bytes).value
    expect(page.metadata).toMatchObject({ continue: expect.any(String), remainingItemCount: expect.any(Number) })
    const empty = decodeProtobuf((await fetch(`${configMaps}?labelSelector=set%3Dnone`, protobuf)).bytes)
    expect(empty.value).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' })
  })

  it('are compressed for clients that accept it', async () => {
    await create('large', { set: 'large' }, { big: 'x'.repeat(300_000) })
    const path = `${configMaps}?labelSelector=set%3Dlarge`
    const list = await fetch(path, protobuf, { headers: { 'accept-encoding': 'gzip' } })
    expect([list.type, list.encoding]).toEqual([protobuf, 'gzip'])
    expect(list.bytes.length).toBeLessThan(100_000)
    expect(decodeProtobuf(gunzipSync(list.bytes)).value).toMatchObject({ items: [{ metadata: { name: 'large' } }] })
    const one = await fetch(`${configMaps}/large`, protobuf, { headers: { 'accept-encoding': 'gzip' } })
    expect(decodeProtobuf(gunzipSync(one.bytes)).value).toMatchObject({ metadata: { name: 'large' } })
  })

  it('carry errors and the end of a deletion as a Status', async () => {
    const missing = await fetch(`${configMaps}/missing`, protobuf)
    expect([missing.status, missing.type]).toEqual([404, protobuf])
    expect(decodeProtobuf(missing.bytes).value).toMatchObject({
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'NotFound',
      code: 404,
      details: { name: 'missing', kind: 'configmaps' },
    })
    await create('gone')
    const removed = await fetch(`${configMaps}/gone`, protobuf, { method: 'DELETE' })
    expect(decodeProtobuf(removed.bytes).value).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 'gone' } })
  })

  it('carry the body of a subresource', async () => {
    const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    await api.call('/apis/apps/v1/namespaces/default/deployments', {
      method: 'POST',
      body: { metadata: { name: 'd' }, spec: { replicas: 2, selector: { matchLabels: { app: 'a' } }, template } },
    })
    const scale = await fetch('/apis/apps/v1/namespaces/default/deployments/d/scale', protobuf)
    expect(decodeProtobuf(scale.bytes).value).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 2 } })
  })

  it('carry metadata alone, of custom resources too', async () => {
    await api.call(widgets, { method: 'POST', body: { apiVersion: 'demo.io/v1', kind: 'Widget', metadata: { name: 'w' } } })
    const one = await fetch(`${widgets}/w`, `${protobuf};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`)
    expect(decodeProtobuf(one.bytes).value).toMatchObject({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'w' },
    })
    const list = await fetch(widgets, `${protobuf};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`)
    expect(decodeProtobuf(list.bytes).value).toMatchObject({ kind: 'PartialObjectMetadataList', items: [{ metadata: { name: 'w' } }] })
  })

  it('give way to what else is accepted where there is no such form', async () => {
    expect((await fetch(widgets, `${protobuf},application/json`)).type).toBe('application/json')
    expect((await fetch(widgets, protobuf)).status).toBe(406)
    const asTable = 'as=Table;g=meta.k8s.io;v=v1'
    expect((await fetch(configMaps, `${protobuf};${asTable},application/json;${asTable}`)).type).toBe('application/json')
    expect((await fetch(configMaps, `${protobuf};${asTable}`)).status).toBe(406)
    expect((await fetch(configMaps, `application/json,${protobuf}`)).type).toBe('application/json')
    expect((await fetch(configMaps, `${protobuf},application/json`)).type).toBe(protobuf)
  })
})

describe('protobuf watches', () => {
  /** Events of a watch: frames of four bytes of length and a `WatchEvent` without an envelope. */
  function watch(query: string, accept: string) {
    const events: { type: string; object: Record<string, unknown> }[] = []
    const seen = { events, type: '', close: () => request.destroy() }
    let rest = Buffer.alloc(0)
    const request = httpsRequest(
      { ...connection(), path: `${configMaps}?watch=true&${query}`, agent: false, headers: { accept } },
      (response) => {
        seen.type = response.headers['content-type'] ?? ''
        response.on('error', () => {})
        response.on('data', (chunk: Buffer) => {
          rest = Buffer.concat([rest, chunk])
          while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
            const frame = rest.subarray(4, 4 + rest.readUInt32BE())
            rest = rest.subarray(4 + frame.length)
            events.push(eventOf(frame))
          }
        })
      },
    )
    request.on('error', () => {})
    request.end()
    return seen
  }

  /** The length-delimited fields of a message, by their number. */
  function fieldsOf(bytes: Buffer): ReadonlyMap<number, Buffer> {
    const fields = new Map<number, Buffer>()
    for (let at = 0; at < bytes.length; ) {
      const number = (bytes[at++] as number) >> 3
      let length = 0
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at++] as number
        length |= (byte & 127) << shift
        if (byte < 128) break
      }
      fields.set(number, bytes.subarray(at, at + length))
      at += length
    }
    return fields
  }

  const eventOf = (frame: Buffer) => {
    const event = fieldsOf(frame)
    const object = fieldsOf(event.get(2) as Buffer).get(1) as Buffer
    return { type: String(event.get(1)), object: decodeProtobuf(object).value }
  }

  it('send frames with objects, bookmarks and errors', async () => {
    await create('e1', { set: 'events' })
    const seen = watch(
      'labelSelector=set%3Devents&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
      protobuf,
    )
    await expect.poll(() => seen.events.length).toBe(2)
    expect(seen.type).toBe(`${protobuf};stream=watch`)
    expect(seen.events[0]?.object).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'e1' } })
    expect(seen.events[1]?.object).toMatchObject({ metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } })
    await api.call(`${configMaps}/e1`, { method: 'DELETE' })
    await expect.poll(() => seen.events.map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK', 'DELETED'])
    seen.close()
  })

  it('accept the type of the stream itself', async () => {
    const seen = watch('labelSelector=set%3Dstream', `${protobuf};stream=watch`)
    await create('e2', { set: 'stream' })
    await expect.poll(() => seen.events.map(({ type }) => type)).toEqual(['ADDED'])
    seen.close()
  })
})
