import { expect, it } from 'vitest'
import { drain, line, refusal, status, Widget, widget } from '../objects.ts'
import { http1Server, http2Server } from '../servers.ts'

const { signal } = new AbortController()

/** A server whose watches get these pieces, one by one, and then end. */
const sending = (pieces: readonly (string | Buffer)[]) =>
  http2Server(({ stream }) => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' })
    const next = (index: number): void => {
      if (index === pieces.length) return void stream.end()
      stream.write(pieces[index] as string, () => setImmediate(next, index + 1))
    }
    next(0)
  })

const watched = async (pieces: readonly (string | Buffer)[], options = {}) => {
  const client = await (await sending(pieces)).connect(options)
  return drain(await client.for(Widget).watch({ signal }))
}

it('reads events, bookmarks and the end of the initial state, however the bytes are cut', async () => {
  const bytes = Buffer.from(
    [
      line('ADDED', widget('a', { text: 'naïve – ünïcödé 🎻' })),
      line('BOOKMARK', { kind: 'Widget', metadata: { resourceVersion: '7', annotations: { 'k8s.io/initial-events-end': 'true' } } }),
      '\n',
      line('MODIFIED', widget('a')),
      line('DELETED', widget('a')),
    ].join(''),
  )
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 7) pieces.push(bytes.subarray(at, at + 7))
  const client = await (await sending(pieces)).connect()
  const events = []
  for await (const event of await client.for(Widget).watch({ signal })) events.push(event)
  expect(events).toEqual([
    { type: 'ADDED', object: widget('a', { text: 'naïve – ünïcödé 🎻' }) },
    { type: 'BOOKMARK', resourceVersion: '7', initialEventsEnd: true },
    { type: 'MODIFIED', object: widget('a') },
    { type: 'DELETED', object: widget('a') },
  ])
})

it('takes a last event without a line end, and ends normally', async () => {
  expect(await watched([line('ADDED', widget('a')), line('ADDED', widget('b')).trim()])).toEqual({ seen: ['ADDED a', 'ADDED b'] })
})

it('says when the stream ended in the middle of an event, and never shows half of one', async () => {
  const { seen, error } = await watched([line('ADDED', widget('a')), line('ADDED', widget('b')).slice(0, 40)])
  expect(seen).toEqual(['ADDED a'])
  expect(error).toMatchObject({ reason: 'ServiceUnavailable', message: 'the connection broke under the watch of widgets' })
})

it.each([
  ['a reset stream', (stream: { destroy(error: Error): void }) => stream.destroy(new TypeError('broken'))],
  ['a cut connection', (stream: { session?: { destroy(): void } }) => stream.session?.destroy()],
])('tells %s from an end', async (_name, cut) => {
  const server = await http2Server(({ stream }) => {
    stream.respond({ ':status': 200 })
    stream.write(line('ADDED', widget('a')), () => setTimeout(() => cut(stream as never), 20))
  })
  const { seen, error } = await drain(await (await server.connect()).for(Widget).watch({ signal }))
  expect(seen).toEqual(['ADDED a'])
  expect(error).toMatchObject({ reason: 'ServiceUnavailable', status: 503 })
})

it('tells a cut HTTP/1.1 connection from an end', async () => {
  const { client } = await http1Server((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write(line('ADDED', widget('a')), () => setTimeout(() => response.destroy(), 20))
  })
  const { seen, error } = await drain(await client.for(Widget).watch({ signal }))
  expect(seen).toEqual(['ADDED a'])
  expect(error).toMatchObject({ reason: 'ServiceUnavailable' })
})

it('throws the error of an ERROR event, with its reason', async () => {
  const { seen, error } = await watched([
    line('ADDED', widget('a')),
    line('ERROR', status(410, 'Expired', 'too old resource version: 1 (9)')),
  ])
  expect(seen).toEqual(['ADDED a'])
  expect(error).toMatchObject({ reason: 'Expired', status: 410, message: 'too old resource version: 1 (9)' })
})

it.each([
  ['no JSON', 'surprise\n'],
  ['no event', '[1]\n'],
  ['an object without metadata', line('ADDED', { kind: 'Widget' })],
  ['an unknown type', line('RENAMED', widget('a'))],
  ['a bookmark without version', line('BOOKMARK', { metadata: {} })],
  ['an error that is no Status', line('ERROR', { message: 'secret words' })],
])('refuses %s', async (_name, text) => {
  const { error } = await watched([text])
  expect(error).toMatchObject({ reason: 'InternalError', message: expect.stringMatching(/^the watch of widgets cannot be read: /) })
})

it('bounds the length of an event', async () => {
  const { seen, error } = await watched([line('ADDED', widget('a')), '"', ...Array.from({ length: 30 }, () => 'x'.repeat(1_000))], {
    maxEventBytes: 10_000,
  })
  expect(seen).toEqual(['ADDED a'])
  expect(error).toMatchObject({ reason: 'InternalError', message: 'an event of the watch is larger than 10000 bytes' })
})

it('asks for what the options say', async () => {
  const server = await sending([])
  const widgets = (await server.connect()).for(Widget)
  await widgets.watch({
    signal,
    namespace: 'a b',
    labelSelector: 'x in (1,2)',
    fieldSelector: 'metadata.name=n',
    resourceVersion: '5',
    resourceVersionMatch: 'NotOlderThan',
    sendInitialEvents: true,
    allowWatchBookmarks: true,
    timeoutSeconds: 9,
  })
  const url = new URL(server.seen[0]?.path ?? '', server.url)
  expect(url.pathname).toBe('/apis/demo.io/v1/namespaces/a%20b/widgets')
  expect(Object.fromEntries(url.searchParams)).toEqual({
    watch: 'true',
    labelSelector: 'x in (1,2)',
    fieldSelector: 'metadata.name=n',
    resourceVersion: '5',
    resourceVersionMatch: 'NotOlderThan',
    sendInitialEvents: 'true',
    allowWatchBookmarks: 'true',
    timeoutSeconds: '9',
  })
})

const hanging = () =>
  http2Server(({ stream }) => {
    stream.respond({ ':status': 200 })
    stream.write(line('ADDED', widget('a')) + line('ADDED', widget('b')))
  })

it('ends at once when the signal aborts, and lets go of the stream', async () => {
  const server = await hanging()
  const abort = new AbortController()
  const watch = (await (await server.connect()).for(Widget).watch({ signal: abort.signal }))[Symbol.asyncIterator]()
  expect((await watch.next()).value).toMatchObject({ type: 'ADDED' })
  abort.abort()
  expect(await watch.next()).toEqual({ done: true, value: undefined })
  await expect.poll(() => server.open).toBe(0)
})

it('lets go of the stream of a watch that nobody reads', async () => {
  const server = await hanging()
  const abort = new AbortController()
  await (await server.connect()).for(Widget).watch({ signal: abort.signal })
  expect(server.open).toBe(1)
  abort.abort()
  await expect.poll(() => server.open).toBe(0)
})

it('lets go of the stream when the reader stops, also while it waits', async () => {
  const server = await hanging()
  const widgets = (await server.connect()).for(Widget)
  for await (const _event of await widgets.watch({ signal })) break
  await expect.poll(() => server.open).toBe(0)
  const waiting = (await widgets.watch({ signal }))[Symbol.asyncIterator]()
  await waiting.next()
  await waiting.next()
  const next = waiting.next().catch((error: unknown) => error)
  await waiting.return?.()
  await next
  await expect.poll(() => server.open).toBe(0)
})

it('is an empty watch when the signal has aborted before it began, or while it begins', async () => {
  const server = await http2Server(() => {})
  const widgets = (await server.connect()).for(Widget)
  expect(await drain(await widgets.watch({ signal: AbortSignal.abort() }))).toEqual({ seen: [] })
  const abort = new AbortController()
  const watch = widgets.watch({ signal: abort.signal })
  await expect.poll(() => server.seen.length).toBe(1)
  abort.abort()
  expect(await drain(await watch)).toEqual({ seen: [] })
})

it('takes no more from the server than is read, and holds nobody else up', async () => {
  let accepted = 0
  const big = 'x'.repeat(64 * 1024)
  const server = await http2Server(({ stream, seen, json }) => {
    if (!seen.path.includes('watch=true')) return json(widget('other'))
    stream.respond({ ':status': 200 })
    const more = (index: number): void => {
      if (stream.destroyed || index === 1_000) return void stream.end()
      stream.write(line('ADDED', widget(`w${index}`, { big })), () => {
        accepted += 1
        more(index + 1)
      })
    }
    more(0)
  })
  const widgets = (await server.connect()).for(Widget)
  const abort = new AbortController()
  const watch = (await widgets.watch({ signal: abort.signal }))[Symbol.asyncIterator]()
  await watch.next()
  let before = -1
  await expect
    .poll(
      () => {
        const same = accepted === before
        before = accepted
        return same
      },
      { interval: 200 },
    )
    .toBe(true)
  // 64 MB wait at the server; the client holds about its window of 512 kB, and what the sockets keep.
  expect(accepted).toBeLessThan(200)
  expect((await widgets.get('default/other')).metadata.name).toBe('other')
  for (let count = 1; count < 1_000; count++) expect((await watch.next()).done).toBe(false)
  expect((await watch.next()).done).toBe(true)
  abort.abort()
})

it('refuses a watch with the error that the server answers', async () => {
  const server = await http2Server(({ json }) => json(status(422, 'Invalid', 'no'), 422))
  expect(await refusal((await server.connect()).for(Widget).watch({ signal }))).toMatchObject({ reason: 'Invalid' })
})
