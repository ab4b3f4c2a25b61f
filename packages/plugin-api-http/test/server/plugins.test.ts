import { connect } from 'node:tls'
import { ApiError, definePlugin } from '@continuo/core'
import { AuthenticatorCap, AuthorizerCap, formatFence, type UpgradeRequest, UpgradeRouteCap } from '@continuo/workload'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApi, startApi } from '../running-api.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'

/** Tokens are user names; only what is in the list is allowed; `/tunnel` belongs to `agent`. */
const access = definePlugin({
  name: 'test-access',
  api: '^1',
  provides: [AuthenticatorCap, AuthorizerCap, UpgradeRouteCap],
  setup(ctx) {
    ctx.provide(
      AuthenticatorCap,
      {
        authenticate({ headers }) {
          const token = /^Bearer (\w+)$/.exec(String(headers.authorization ?? ''))?.[1]
          if (token === 'expired') throw new ApiError('Unauthorized', 'the token has expired')
          return token === undefined || token === 'unknown' ? undefined : { username: token }
        },
      },
      'tokens',
    )
    ctx.provide(
      AuthorizerCap,
      {
        authorize: ({ user, verb, resource, name, path }) =>
          `${user.username} ${verb} ${resource || path}`.match(
            /^(reader (get|list|watch) configmaps|agent get \/tunnel|lead impersonate users)$/,
          ) !== null && name !== 'secret'
            ? { decision: 'allow' }
            : { decision: 'none', reason: 'not in the list' },
      },
      'list',
    )
    ctx.provide(
      UpgradeRouteCap,
      {
        async accept({ caller, socket, signal }: UpgradeRequest) {
          if (caller.user.username !== 'agent') throw new ApiError('Forbidden', 'agents only')
          socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tunnel\r\n\r\nhello ${caller.user.username}`)
          await new Promise((resolve) => {
            socket.once('close', resolve)
            signal.addEventListener('abort', () => socket.destroy())
          })
        },
      },
      'tunnel',
    )
  },
})

let api: RunningApi
beforeAll(async () => {
  api = await startApi({ authorization: 'AlwaysDeny' }, [{ slot: 'access', plugin: access }])
})
afterAll(() => api[Symbol.asyncDispose]())

const as = (token: string, path: string, method = 'GET', headers: Record<string, string> = {}) =>
  api.call(path, { method, anonymous: true, headers: { authorization: `Bearer ${token}`, ...headers } })

describe('access of other plugins', () => {
  it('authenticates and authorises by them', async () => {
    expect((await as('reader', configMaps)).status).toBe(200)
    expect((await as('reader', `${configMaps}?watch=true&timeoutSeconds=1`)).status).toBe(200)
    expect((await as('reader', configMaps, 'POST')).json).toMatchObject({
      code: 403,
      message:
        'configmaps is forbidden: User "reader" cannot create resource "configmaps" in API group "" in the namespace "default": not in the list',
    })
    expect((await as('expired', configMaps)).json).toMatchObject({ code: 401, message: 'the token has expired' })
    expect((await as('unknown', configMaps)).status).toBe(401)
  })

  it('asks about the one name that a list selects', async () => {
    expect((await as('reader', `${configMaps}?fieldSelector=metadata.name%3Dopen`)).status).toBe(200)
    expect((await as('reader', `${configMaps}?fieldSelector=metadata.name%3Dsecret`)).status).toBe(403)
    expect((await as('reader', `${configMaps}?watch=1&fieldSelector=metadata.name%3D%3Dsecret`)).status).toBe(403)
  })

  it('lets only those impersonate who may, and judges the impersonated', async () => {
    expect((await as('lead', configMaps, 'GET', { 'impersonate-user': 'reader' })).status).toBe(200)
    expect((await as('lead', configMaps, 'POST', { 'impersonate-user': 'reader' })).status).toBe(403)
    expect((await as('reader', configMaps, 'GET', { 'impersonate-user': 'lead' })).json.message).toContain(
      'cannot impersonate resource "users"',
    )
    expect((await as('lead', configMaps, 'GET', { 'impersonate-user': 'reader', 'impersonate-group': 'system:masters' })).status).toBe(403)
  })
})

describe('an upgrade on a path of a plugin', () => {
  const upgrade = (token: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const url = new URL(api.endpoint.url)
      const socket = connect({ host: url.hostname, port: Number(url.port), ca: api.endpoint.authority })
      socket.once('data', (bytes: Buffer) => {
        resolve(bytes.toString())
        socket.destroy()
      })
      socket.once('error', reject)
      socket.write(`GET /tunnel HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: Upgrade\r\nUpgrade: tunnel\r\n\r\n`)
    })

  it('is handed over after the gate', async () => {
    expect(await upgrade('agent')).toMatch(/^HTTP\/1\.1 101 [\s\S]*hello agent$/)
    expect(await upgrade('reader')).toMatch(/^HTTP\/1\.1 403 /)
  })
})

describe('a fence', () => {
  const fenced = (resourceVersion: string, name: string) =>
    api.call(configMaps, {
      method: 'POST',
      headers: {
        'continuo-fence': formatFence({ group: '', resource: 'configmaps', namespace: 'default', name: 'epoch', resourceVersion }),
      },
      body: { metadata: { name } },
    })

  it('refuses writes of a leader whose epoch is over', async () => {
    const epoch = (await api.call(configMaps, { method: 'POST', body: { metadata: { name: 'epoch' } } })).json.metadata.resourceVersion
    expect((await fenced(epoch, 'first')).status).toBe(201)
    await api.call(`${configMaps}/epoch`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: '{"data":{"n":"2"}}',
    })
    expect((await fenced(epoch, 'second')).json).toMatchObject({ code: 409, reason: 'Conflict' })
    expect((await api.call(`${configMaps}/second`)).status).toBe(404)
  })

  it('that cannot be read is 400', async () => {
    expect((await api.call(configMaps, { headers: { 'continuo-fence': 'x' } })).status).toBe(400)
  })
})
