import { connect } from 'node:http2'
import { ApiError, definePlugin, systemClock, type UserInfo } from '@continuo/core'
import { type AuthenticationRequest, AuthenticatorCap, AuthorizerCap } from '@continuo/workload'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WatchRights } from '../../src/access/watch-rights.ts'
import { type RunningApi, startApi } from '../running-api.ts'

const forbidden = new ApiError('Forbidden', 'no more')

describe('the rights of open watches', () => {
  it('are lost once, by a refusal and nothing else', async () => {
    const rights = new WatchRights(systemClock)
    const lost: string[] = []
    let answer: Error | undefined
    const hold = (name: string) =>
      rights.hold(
        () => {
          if (answer !== undefined) throw answer
        },
        (error) => lost.push(`${name}: ${error.message}`),
      )
    hold('a')
    const released = hold('b')
    await rights.recheck()
    answer = new ApiError('InternalError', 'the authorizer is away')
    await rights.recheck()
    expect(lost).toEqual([])
    released[Symbol.dispose]()
    answer = forbidden
    await rights.recheck()
    await rights.recheck()
    expect(lost).toEqual(['a: no more'])
  })

  it('end a watch over HTTP with the refusal, within the interval', async () => {
    let allowed = true
    const moody = definePlugin({
      name: 'moody',
      api: '^1',
      provides: [AuthorizerCap],
      setup: (ctx) => {
        ctx.provide(
          AuthorizerCap,
          { authorize: ({ verb, user }) => ({ decision: user.username === 'ann' && (verb !== 'watch' || allowed) ? 'allow' : 'none' }) },
          'moody',
        )
      },
    })
    await using api = await startApi({ watchRightsSeconds: 1, authorization: 'AlwaysDeny' }, [{ slot: 'moody', plugin: moody }])
    const watch = await openWatch(api, { 'impersonate-user': 'ann' })
    allowed = false
    const last = await watch.last()
    expect(last).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 403, reason: 'Forbidden' } })
    expect(last.object.message).toContain('User "ann" cannot watch resource "configmaps"')
  })
  it('end a watch whose token is no longer good, and no other', async () => {
    const good = new Set(['ann', 'ben'])
    const tokens = definePlugin({
      name: 'tokens',
      api: '^1',
      provides: [AuthenticatorCap],
      setup: (ctx) => {
        const authenticate = ({ headers }: AuthenticationRequest): UserInfo | undefined => {
          const name = String(headers.authorization ?? '').slice('Bearer '.length)
          if (name !== '' && !good.has(name)) throw new ApiError('Unauthorized', 'Unauthorized')
          return name === '' ? undefined : { username: name }
        }
        ctx.provide(AuthenticatorCap, { authenticate }, 'tokens')
      },
    })
    await using api = await startApi({ watchRightsSeconds: 1 }, [{ slot: 'tokens', plugin: tokens }])
    const [ann, ben] = [await openWatch(api, { authorization: 'Bearer ann' }), await openWatch(api, { authorization: 'Bearer ben' })]
    good.delete('ann')
    expect(await ann.last()).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 401, reason: 'Unauthorized' } })
    expect(ben.ended()).toBe(false)
  })
})

/** A watch that has begun. A bearer token goes without the client certificate. */
async function openWatch(api: RunningApi, headers: Record<string, string>) {
  const { url, authority: ca, admin } = api.endpoint
  const isAdmin = headers.authorization === undefined
  const session = connect(url, { ca, ...(isAdmin ? { cert: admin?.certificate, key: admin?.privateKey } : {}) })
  onTestFinished(() => session.destroy())
  session.on('error', () => {})
  const stream = session.request({ ':path': '/api/v1/namespaces/default/configmaps?watch=true', ...headers })
  let text = ''
  let ended = false
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    text += chunk
  })
  stream.on('end', () => {
    ended = true
  })
  await new Promise((resolve) => stream.once('response', resolve))
  return {
    ended: () => ended,
    /** The last event, once the watch has ended. */
    async last() {
      await expect.poll(() => ended, { timeout: 5_000 }).toBe(true)
      return JSON.parse(text.trim().split('\n').at(-1) as string)
    },
  }
}
