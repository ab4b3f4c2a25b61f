import { ApiError, definePlugin, systemClock } from '@continuo/core'
import { AuthorizerCap } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { WatchRights } from '../../src/access/watch-rights.ts'
import { startApi } from '../running-api.ts'

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
    const stream = api.session().request({ ':path': '/api/v1/namespaces/default/configmaps?watch=true', 'impersonate-user': 'ann' })
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
    allowed = false
    await expect.poll(() => ended, { timeout: 5_000 }).toBe(true)
    const last = JSON.parse(text.trim().split('\n').at(-1) as string)
    expect(last).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 403, reason: 'Forbidden' } })
    expect(last.object.message).toContain('User "ann" cannot watch resource "configmaps"')
  })
})
