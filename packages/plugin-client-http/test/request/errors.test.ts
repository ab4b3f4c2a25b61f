import { describe, expect, it } from 'vitest'
import { foreignError, readRetryAfter, statusError } from '../../src/request/status-error.ts'
import { refusal, status, Widget, widget, words } from '../objects.ts'
import { http1Server, http2Server } from '../servers.ts'

const get = async (answer: Parameters<typeof http2Server>[0], options = {}) =>
  refusal((await (await http2Server(answer)).connect(options)).for(Widget).get('default/a'))

describe('a Status', () => {
  it('becomes the error that the server threw', async () => {
    const details = {
      name: 'a',
      group: 'demo.io',
      kind: 'Widget',
      causes: [{ reason: 'FieldValueInvalid', message: 'must be 1', field: 'spec.size' }],
    }
    const error = await get(({ json }) => json(status(422, 'Invalid', 'Widget.demo.io "a" is invalid', { details }), 422))
    expect(error).toMatchObject({ reason: 'Invalid', status: 422, code: 'API_INVALID', message: 'Widget.demo.io "a" is invalid', details })
    expect(error.toStatus()).toEqual(status(422, 'Invalid', 'Widget.demo.io "a" is invalid', { details }))
  })

  it('keeps the fresh token of an expired list', async () => {
    const error = await get(({ json }) => json(status(410, 'Expired', 'old', { metadata: { continue: 'token' } }), 410))
    expect(error.toStatus()).toMatchObject({ reason: 'Expired', metadata: { continue: 'token' } })
  })

  it('takes the time to wait from its details or from the header', () => {
    expect(
      statusError(status(503, 'ServiceUnavailable', 'x', { details: { retryAfterSeconds: 3 } }), { retryAfterSeconds: 9 }).details
        ?.retryAfterSeconds,
    ).toBe(3)
    expect(statusError(status(503, 'ServiceUnavailable', 'x'), { retryAfterSeconds: 9 }).details?.retryAfterSeconds).toBe(9)
    expect([readRetryAfter('12'), readRetryAfter('soon'), readRetryAfter('-1'), readRetryAfter(undefined)]).toEqual([
      12,
      undefined,
      undefined,
      undefined,
    ])
  })

  it('of an unknown reason goes by its code', () => {
    expect(statusError({ code: 409, reason: 'Unheard', message: 'm' })).toMatchObject({ reason: 'Conflict', status: 409 })
    expect(statusError({ code: 418, reason: 'Teapot' })).toMatchObject({ reason: 'BadRequest', status: 418 })
    expect(statusError({ reason: 'toString' }, { code: 502 })).toMatchObject({ reason: 'ServiceUnavailable', status: 502 })
  })

  it('of nonsense is an error all the same, and bounded', () => {
    const error = statusError({
      code: 'x',
      reason: 7,
      message: 'm'.repeat(1_000_000),
      details: { causes: [1, null, { field: 3 }], name: {} },
    })
    expect(error).toMatchObject({ reason: 'InternalError', status: 500, details: { causes: [{}] } })
    expect(error.message.length).toBeLessThan(20_000)
  })
})

describe('an answer that is no Status', () => {
  it.each([
    [400, 'BadRequest'],
    [401, 'Unauthorized'],
    [403, 'Forbidden'],
    [404, 'NotFound'],
    [405, 'MethodNotAllowed'],
    [409, 'Conflict'],
    [410, 'Expired'],
    [413, 'RequestEntityTooLarge'],
    [429, 'TooManyRequests'],
    [451, 'BadRequest'],
    [500, 'InternalError'],
    [502, 'ServiceUnavailable'],
    [503, 'ServiceUnavailable'],
    [504, 'Timeout'],
  ])('goes by its code %i', async (code, reason) => {
    const error = await get(({ stream }) => {
      stream.respond({ ':status': code, 'content-type': 'text/html' })
      stream.end('<html>who are you?</html>')
    })
    expect(error).toMatchObject({ reason, status: code, message: `the server answered ${code} with text/html instead of a Status` })
  })

  it.each([301, 302, 307, 308])('is not followed when it is a redirect (%i)', async (code) => {
    const server = await http2Server(({ stream }) => {
      stream.respond({ ':status': code, location: 'https://elsewhere.example/?token=abc' })
      stream.end()
    })
    const error = await refusal((await server.connect({ token: 'my-secret' })).for(Widget).get('default/a'))
    expect(error).toMatchObject({ reason: 'InternalError', message: expect.stringContaining('redirect') })
    expect(server.seen.length).toBe(1)
    expect(words(error)).not.toContain('elsewhere')
  })

  it('says nothing that a content type could smuggle in', () => {
    expect(foreignError(500, 'text/html\r\nx: y"', undefined).message).toBe(
      'the server answered 500 with text/html??x??y? instead of a Status',
    )
  })
})

describe('a success that cannot be read', () => {
  it.each([
    ['garbage', 'gar{bage'],
    ['nothing', ''],
    ['half of an object', '{"kind":"Widget"'],
  ])('is an error: %s', async (_name, text) => {
    const error = await get(({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/json' })
      stream.end(text)
    })
    expect(error).toMatchObject({
      reason: 'InternalError',
      message: expect.stringMatching(/^GET \/apis\/demo.io\/v1\/namespaces\/default\/widgets\/a: the answer .* is not JSON$/),
    })
  })

  it.each([
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', '7'],
  ])('is an error: %s', async (_name, text) => {
    const error = await get(({ stream }) => {
      stream.respond({ ':status': 200 })
      stream.end(text)
    })
    expect(error).toMatchObject({ reason: 'InternalError', message: 'what the server answered about widgets is no object' })
  })

  it.each([true, false])('is cut off when it is too large (length announced: %s)', async (announced) => {
    let sent = 0
    const error = await get(
      ({ stream }) => {
        stream.respond({ ':status': 200, ...(announced ? { 'content-length': '64000000' } : {}) })
        const more = (): void => {
          if (stream.destroyed || sent === 1_000) return
          sent += 1
          stream.write('x'.repeat(64_000), more)
        }
        more()
      },
      { maxResponseBytes: 200_000 },
    )
    expect(error).toMatchObject({ reason: 'InternalError', message: 'the answer of the server is larger than 200000 bytes' })
    expect(sent).toBeLessThan(200)
  })

  it('is refused when it is compressed unasked', async () => {
    const error = await get(({ stream }) => {
      stream.respond({ ':status': 200, 'content-encoding': 'gzip' })
      stream.end('x')
    })
    expect(error).toMatchObject({ reason: 'InternalError', message: expect.stringContaining('encoding "gzip"') })
  })

  it('is known to be cut off by its length', async () => {
    const { client } = await http1Server((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{"kind":"Widget"}', () => response.destroy())
    })
    expect(await refusal(client.for(Widget).get('default/a'))).toMatchObject({ reason: 'ServiceUnavailable' })
    expect(await refusal(client.for(Widget).create(widget('a')))).toMatchObject({ reason: 'Timeout' })
  })
})

it('never shows a secret, whatever goes wrong', async () => {
  const token = 'very-secret-token'
  const echo = await http2Server(({ json, seen }) => json(status(403, 'Forbidden', `you said ${seen.headers.authorization}`), 403))
  const client = await echo.connect({ token })
  const forbidden = await refusal(client.for(Widget).get('default/a'))
  expect(forbidden.message).toBe('you said Bearer [redacted]')
  await echo.stop()
  const gone = await refusal(client.for(Widget).create(widget('a')))
  expect(`${words(forbidden)} ${words(gone)}`).not.toContain(token)
})
