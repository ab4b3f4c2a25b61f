import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createVirtualClock, type VirtualClock } from '@continuo/testkit'
import { expect, it, onTestFinished } from 'vitest'
import { refusal, status, Widget, widget } from '../objects.ts'
import { http1Server, http2Server } from '../servers.ts'

/** Moves the clock until the promise has settled. */
async function passing<T>(clock: VirtualClock, work: Promise<T>, stepMs = 100): Promise<T> {
  let settled = false
  const mark = (): void => {
    settled = true
  }
  work.then(mark, mark)
  while (!settled) {
    await clock.advance(stepMs)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return work
}

const tooMany = status(429, 'TooManyRequests', 'not now', { details: { retryAfterSeconds: 2 } })

it('waits as long as a 429 says, and tries again', async () => {
  const clock = createVirtualClock()
  const times: number[] = []
  const server = await http2Server(({ json, index }) => {
    times.push(clock.monotonic())
    index < 2 ? json(tooMany, 429, { 'retry-after': '2' }) : json(widget('a'))
  })
  const client = await server.connect({ clock })
  expect((await passing(clock, client.for(Widget).create(widget('a')))).metadata.name).toBe('a')
  expect(times.length).toBe(3)
  expect((times[1] as number) - (times[0] as number)).toBeGreaterThanOrEqual(2_000)
  expect((times[1] as number) - (times[0] as number)).toBeLessThan(3_000)
})

it('gives a 429 to its caller in the end', async () => {
  const clock = createVirtualClock()
  const server = await http2Server(({ json }) => json(tooMany, 429))
  const client = await server.connect({ clock })
  expect(await passing(clock, refusal(client.for(Widget).get('default/a')))).toMatchObject({
    reason: 'TooManyRequests',
    details: { retryAfterSeconds: 2 },
  })
  expect(server.seen.length).toBe(5)
})

it.each([
  ['names no time', status(429, 'TooManyRequests', 'no')],
  ['asks for too much of it', status(429, 'TooManyRequests', 'no', { details: { retryAfterSeconds: 3_600 } })],
])('does not wait for a 429 that %s', async (_name, body) => {
  const server = await http2Server(({ json }) => json(body, 429))
  expect(await refusal((await server.connect()).for(Widget).get('default/a'))).toMatchObject({ reason: 'TooManyRequests' })
  expect(server.seen.length).toBe(1)
})

it('does not wait beyond the time of the request', async () => {
  const server = await http2Server(({ json }) => json(tooMany, 429))
  expect(await refusal((await server.connect({ requestTimeoutMs: 1_000 })).for(Widget).get('default/a'))).toMatchObject({
    reason: 'TooManyRequests',
  })
})

it('stops waiting when its caller gives up', async () => {
  const server = await http2Server(({ json }) => json(tooMany, 429))
  const abort = new AbortController()
  const list = refusal((await server.connect()).for(Widget).list({ signal: abort.signal }))
  await expect.poll(() => server.seen.length).toBe(1)
  abort.abort()
  expect(await list).toMatchObject({ status: expect.any(Number) })
})

it('gives a list up at once when its signal aborts', async () => {
  const server = await http2Server(() => {})
  const abort = new AbortController()
  const list = refusal((await server.connect()).for(Widget).list({ signal: abort.signal }))
  await expect.poll(() => server.open).toBe(1)
  abort.abort()
  expect(await list).toMatchObject({ reason: 'Timeout' })
  await expect.poll(() => server.open).toBe(0)
})

it('sends again what a server that goes away has not looked at: writes, too', async () => {
  let first: { readonly id?: number } | undefined
  const server = await http2Server(({ stream, json, index }) => {
    if (index === 0) first = stream
    else if (index === 1) stream.session?.goaway(0, first?.id)
    else json(widget(`w${index}`))
  })
  const widgets = (await server.connect()).for(Widget)
  const held = refusal(widgets.create(widget('a')))
  await expect.poll(() => server.seen.length).toBe(1)
  expect((await widgets.create(widget('b'))).metadata.name).toBe('w2')
  expect([server.seen.map((one) => JSON.parse(one.body).metadata.name), server.connections]).toEqual([['a', 'b', 'b'], 2])
  await server.stop()
  expect(await held).toMatchObject({ reason: 'Timeout' })
})

it('sends again what the server refused', async () => {
  const server = await http2Server(({ stream, json, index }) => (index < 2 ? stream.close(7) : json(widget('a'))))
  expect((await (await server.connect()).for(Widget).create(widget('a'))).metadata.name).toBe('a')
  expect([server.seen.length, server.connections]).toEqual([3, 1])
})

it('lets what a server that goes away has taken come to its end', async () => {
  const server = await http2Server(({ stream, json, index }) => {
    if (index === 0) stream.session?.goaway(0, stream.id)
    setTimeout(() => json(widget(`w${index}`)), 50)
  })
  const widgets = (await server.connect()).for(Widget)
  const first = widgets.create(widget('a'))
  await expect.poll(() => server.seen.length).toBe(1)
  await new Promise((resolve) => setTimeout(resolve, 10))
  const second = widgets.create(widget('b'))
  expect([(await first).metadata.name, (await second).metadata.name]).toEqual(['w0', 'w1'])
  expect(server.connections).toBe(2)
})

it.each([
  ['the connection breaks', ({ stream }: { stream: { session?: { destroy(): void } } }) => stream.session?.destroy()],
  [
    'the server gives it up with an error',
    ({ stream }: { stream: { session?: { goaway(code: number, last: number): void }; id?: number } }) =>
      stream.session?.goaway(2, stream.id as number),
  ],
  ['the stream is reset', ({ stream }: { stream: { destroy(error: Error): void } }) => stream.destroy(new TypeError('x'))],
])('says that nobody knows what became of a write when %s, and never sends it again', async (_name, breaking) => {
  const server = await http2Server((exchange) => breaking(exchange as never))
  const widgets = (await server.connect()).for(Widget)
  const error = await refusal(widgets.create(widget('a')))
  expect(error).toMatchObject({
    reason: 'Timeout',
    status: 504,
    message: expect.stringContaining('may or may not have taken effect'),
    hint: expect.stringContaining('uid'),
  })
  for (const write of [
    () => widgets.update(widget('a')),
    () => widgets.delete('default/a'),
    () => widgets.patch('default/a', { type: 'merge', body: {} }),
  ]) {
    expect(await refusal(write())).toMatchObject({ reason: 'Timeout' })
  }
  expect(server.seen.length).toBe(4)
})

it('reads once more when the connection breaks under a read', async () => {
  const server = await http2Server(({ stream, json, index }) => (index === 0 ? stream.session?.destroy() : json(widget('a'))))
  expect((await (await server.connect()).for(Widget).get('default/a')).metadata.name).toBe('a')
})

it('gives a read up when it keeps breaking', async () => {
  const server = await http2Server(({ stream }) => stream.session?.destroy())
  expect(await refusal((await server.connect()).for(Widget).get('default/a'))).toMatchObject({ reason: 'ServiceUnavailable' })
  expect(server.seen.length).toBe(2)
})

it('says the same over HTTP/1.1', async () => {
  const server = await http1Server((_request, response) => response.destroy())
  expect(await refusal(server.client.for(Widget).create(widget('a')))).toMatchObject({ reason: 'Timeout' })
  expect(server.count).toBe(1)
  expect(await refusal(server.client.for(Widget).get('default/a'))).toMatchObject({ reason: 'ServiceUnavailable' })
  expect(server.count).toBe(3)
})

it('bounds the time of a request, and tells reads from writes', async () => {
  const server = await http2Server(() => {})
  const widgets = (await server.connect({ requestTimeoutMs: 50 })).for(Widget)
  expect(await refusal(widgets.get('default/a'))).toMatchObject({
    reason: 'Timeout',
    message: expect.stringContaining('got no answer within 50 ms'),
  })
  expect(await refusal(widgets.create(widget('a')))).toMatchObject({
    reason: 'Timeout',
    message: expect.stringContaining('may or may not have taken effect'),
  })
  expect(await refusal(widgets.watch({ signal: new AbortController().signal }))).toMatchObject({ reason: 'Timeout' })
  await expect.poll(() => server.open).toBe(0)
})

it('does not end a watch that has begun when the time of requests is over', async () => {
  const clock = createVirtualClock()
  let finish = (): void => {}
  const server = await http2Server(({ stream }) => {
    stream.respond({ ':status': 200 })
    finish = () => void stream.end(`${JSON.stringify({ type: 'ADDED', object: widget('late') })}\n`)
  })
  const client = await server.connect({ clock, requestTimeoutMs: 1_000, keepAliveMs: 1e9 })
  const watch = await client.for(Widget).watch({ signal: new AbortController().signal })
  await clock.advance(5_000)
  finish()
  const seen = []
  for await (const event of watch) seen.push(event.type)
  expect(seen).toEqual(['ADDED'])
})

it('reads a token again that was refused, once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'client-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const tokenFile = join(directory, 'token')
  await writeFile(tokenFile, 'old\n')
  const server = await http2Server(({ json, seen }) =>
    seen.headers.authorization === 'Bearer new' ? json(widget('a')) : json(status(401, 'Unauthorized', 'Unauthorized'), 401),
  )
  const widgets = (await server.connect({ tokenFile })).for(Widget)
  expect(await refusal(widgets.get('default/a'))).toMatchObject({ reason: 'Unauthorized' })
  expect(server.seen.length).toBe(2)
  await writeFile(tokenFile, 'new')
  expect((await widgets.create(widget('a'))).metadata.name).toBe('a')
  expect(server.seen.map((one) => one.headers.authorization)).toEqual(['Bearer old', 'Bearer old', 'Bearer old', 'Bearer new'])
})

it('reads the file of a token again after a minute', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'client-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const tokenFile = join(directory, 'token')
  await writeFile(tokenFile, 'one')
  const clock = createVirtualClock()
  const server = await http2Server(({ json }) => json(widget('a')))
  const widgets = (await server.connect({ tokenFile, clock, keepAliveMs: 1e9 })).for(Widget)
  await widgets.get('default/a')
  await writeFile(tokenFile, 'two')
  await widgets.get('default/a')
  await clock.advance(61_000)
  await widgets.get('default/a')
  await rm(tokenFile)
  await clock.advance(61_000)
  await widgets.get('default/a')
  expect(server.seen.map((one) => one.headers.authorization)).toEqual(['Bearer one', 'Bearer one', 'Bearer two', 'Bearer two'])
})
