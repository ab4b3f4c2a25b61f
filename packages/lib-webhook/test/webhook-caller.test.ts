import { connect } from 'node:net'
import { systemClock } from '@continuo/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isReachable, WebhookCaller, type WebhookCallerOptions } from '../src/index.ts'
import { startWebhook } from './webhook-server.ts'

const timeoutMs = 5_000

function newCaller(options: Omit<WebhookCallerOptions, 'clock'> = {}): WebhookCaller {
  const caller = new WebhookCaller({ ...options, clock: systemClock })
  onTestFinished(() => caller.close())
  return caller
}

describe('a call', () => {
  it('posts JSON, tells the deadline, and gives back the JSON of the answer', async () => {
    const { url, caBundle } = await startWebhook((request, response, body) =>
      response.end(JSON.stringify({ path: request.url, type: request.headers['content-type'], body: JSON.parse(body) })),
    )
    expect(await newCaller().call({ url, caBundle }, { a: 1 }, { timeoutMs })).toEqual({
      path: '/ask?timeout=5s',
      type: 'application/json',
      body: { a: 1 },
    })
  })

  it('uses its connection again', async () => {
    const hook = await startWebhook((_request, response) => response.end('{}'))
    const caller = newCaller()
    for (let i = 0; i < 5; i++) await caller.call(hook, {}, { timeoutMs })
    expect(hook.connections()).toBe(1)
  })

  it('reaches a service by its endpoint, under the name of the service', async () => {
    const hook = await startWebhook(
      (request, response) => response.end(JSON.stringify({ host: request.headers.host, url: request.url })),
      ['hook.default.svc'],
    )
    const caller = newCaller({ dial: async () => connect(hook.port, '127.0.0.1') })
    const service = { namespace: 'default', name: 'hook', path: '/mutate' }
    expect(await caller.call({ service, caBundle: hook.caBundle }, {}, { timeoutMs })).toEqual({
      host: 'hook.default.svc:443',
      url: '/mutate?timeout=5s',
    })
    await caller.call({ service, caBundle: hook.caBundle }, {}, { timeoutMs })
    expect(hook.connections()).toBe(1)
  })

  it('asks again when the kept connection was closed meanwhile', async () => {
    const hook = await startWebhook((_request, response) => response.end('{}'))
    const caller = newCaller()
    await caller.call(hook, {}, { timeoutMs })
    hook.server.closeAllConnections()
    expect(await caller.call(hook, {}, { timeoutMs })).toEqual({})
    expect(hook.connections()).toBe(2)
  })
})

describe('a call fails, in the words of Kubernetes,', () => {
  it('when the certificate is of another authority', async () => {
    const hook = await startWebhook((_request, response) => response.end('{}'))
    const other = await startWebhook((_request, response) => response.end('{}'))
    await expect(newCaller().call({ url: hook.url, caBundle: other.caBundle }, {}, { timeoutMs })).rejects.toMatchObject({
      code: 'WEBHOOK_UNREACHABLE',
      message: `Post "${hook.url}?timeout=5s": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    })
  })

  it('when no authority of the system signed the certificate', async () => {
    const { url } = await startWebhook((_request, response) => response.end('{}'))
    await expect(newCaller().call({ url }, {}, { timeoutMs })).rejects.toMatchObject({
      message: expect.stringContaining('certificate signed by unknown authority'),
    })
  })

  it('when the certificate has another name', async () => {
    const hook = await startWebhook((_request, response) => response.end('{}'), ['other.default.svc'])
    const caller = newCaller({ dial: async () => connect(hook.port, '127.0.0.1') })
    const service = { namespace: 'default', name: 'hook' }
    await expect(caller.call({ service, caBundle: hook.caBundle }, {}, { timeoutMs })).rejects.toMatchObject({
      message:
        'Post "https://hook.default.svc:443/?timeout=5s": tls: failed to verify certificate: x509: certificate is not valid for hook.default.svc',
    })
  })

  it('when nobody listens', async () => {
    const hook = await startWebhook((_request, response) => response.end('{}'))
    await new Promise<void>((resolve) => hook.server.close(() => resolve()))
    await expect(newCaller().call(hook, {}, { timeoutMs })).rejects.toMatchObject({
      code: 'WEBHOOK_UNREACHABLE',
      message: `Post "${hook.url}?timeout=5s": dial tcp 127.0.0.1:${hook.port}: connect: connection refused`,
    })
  })

  it('when the deadline passes, before or in the middle of the answer', async () => {
    const silent = await startWebhook(() => {})
    const message = (url: string) => `Post "${url}?timeout=1s": context deadline exceeded`
    await expect(newCaller().call(silent, {}, { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'WEBHOOK_TIMEOUT',
      message: message(silent.url),
    })
    const slow = await startWebhook((_request, response) => response.write('{'))
    await expect(newCaller().call(slow, {}, { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'WEBHOOK_TIMEOUT',
      message: message(slow.url),
    })
  })

  it('when the caller gives it up', async () => {
    const silent = await startWebhook(() => {})
    const abort = new AbortController()
    const asked = newCaller().call(silent, {}, { timeoutMs, signal: abort.signal })
    abort.abort()
    await expect(asked).rejects.toMatchObject({ message: `Post "${silent.url}?timeout=5s": context canceled` })
  })

  it('when the service has nobody behind it', async () => {
    const dial = async () => {
      throw new RangeError('no endpoints available for service "hook"')
    }
    await expect(newCaller({ dial }).call({ service: { namespace: 'default', name: 'hook' } }, {}, { timeoutMs })).rejects.toMatchObject({
      code: 'WEBHOOK_UNREACHABLE',
      message: 'Post "https://hook.default.svc:443/?timeout=5s": no endpoints available for service "hook"',
    })
  })

  it.each([
    ['an error', 500, 'boom', 'an error on the server ("boom") has prevented the request from succeeding'],
    ['not found', 404, '', 'the server could not find the requested resource'],
    ['no JSON', 200, 'hello', "couldn't get version/kind; json parse error: "],
  ])('when the answer is %s', async (_what, status, body, message) => {
    const hook = await startWebhook((_request, response) => response.writeHead(status).end(body))
    await expect(newCaller().call(hook, {}, { timeoutMs })).rejects.toMatchObject({
      code: 'WEBHOOK_ANSWER',
      status,
      message: expect.stringContaining(message),
    })
  })
})

describe('a caller', () => {
  it('follows no redirect', async () => {
    let asked = 0
    const hook = await startWebhook((_request, response) => {
      asked += 1
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    await expect(newCaller().call(hook, {}, { timeoutMs })).rejects.toMatchObject({
      code: 'WEBHOOK_ANSWER',
      message: 'the server answered with a redirect (307 to /elsewhere), which is not followed',
    })
    expect(asked).toBe(1)
  })

  it('reads no more than it may', async () => {
    const hook = await startWebhook((_request, response) => {
      const block = 'x'.repeat(64 * 1024)
      const more = (): void => {
        while (response.write(block)) {}
        response.once('drain', more)
      }
      more()
    })
    await expect(newCaller({ maxAnswerBytes: 100_000 }).call(hook, {}, { timeoutMs })).rejects.toMatchObject({
      code: 'WEBHOOK_ANSWER',
      message: `Post "${hook.url}?timeout=5s": the answer is larger than 100000 bytes`,
    })
  })

  it.each(['https://169.254.169.254/latest', 'https://[fe80::1]/', 'https://0.0.0.0/'])(
    'dials no address such as that of %s',
    async (url) => {
      await expect(newCaller().call({ url }, {}, { timeoutMs })).rejects.toMatchObject({ code: 'WEBHOOK_ADDRESS' })
    },
  )

  it.each(['http://127.0.0.1/', 'nonsense', undefined])('refuses the address %s', async (url) => {
    await expect(newCaller().call(url === undefined ? {} : { url }, {}, { timeoutMs })).rejects.toMatchObject({ code: 'WEBHOOK_ADDRESS' })
  })

  it('refuses a bundle that holds no certificate', async () => {
    await expect(
      newCaller().call({ url: 'https://127.0.0.1:1/', caBundle: Buffer.from('x').toString('base64') }, {}, { timeoutMs }),
    ).rejects.toMatchObject({ message: 'unable to load root certificates: unable to parse bytes as PEM block' })
  })
})

it.each([
  ['127.0.0.1', true],
  ['10.0.0.1', true],
  ['::1', true],
  ['169.254.1.1', false],
  ['::ffff:169.254.169.254', false],
  ['224.0.0.1', false],
  ['::', false],
])('%s is reachable: %s', (address, expected) => {
  expect(isReachable(address)).toBe(expected)
})
