import { createHost, definePlugin, type ObjectClient, ObjectClientCap } from '@continuo/core'
import { expect, it, onTestFinished } from 'vitest'
import { clientHttp } from '../src/index.ts'
import { refusal, Widget, widget } from './objects.ts'
import { http2Server } from './servers.ts'

const hostOf = (config: unknown, role: 'node' | 'control-plane' = 'node', plugins: Parameters<typeof createHost>[0]['plugins'] = []) => {
  const host = createHost({
    name: 'test',
    role,
    plugins: [{ slot: 'client', plugin: clientHttp, config }, ...plugins],
    leaderElection: false,
  })
  onTestFinished(() => host.stop())
  return host
}

it.each(['node', 'control-plane'] as const)(
  'provides the object client in a host of role %s, under the identity of each plugin',
  async (role) => {
    const server = await http2Server(({ json }) => json(widget('a')))
    let client: ObjectClient | undefined
    const user = definePlugin({
      name: 'user',
      api: '^1',
      roles: ['node', 'control-plane'],
      setup: (ctx) => {
        client = ctx.client
      },
    })
    const host = hostOf({ server: server.url, ca: server.ca }, role, [{ slot: 'worker', plugin: user }])
    await host.start()
    await client?.for(Widget).create(widget('a'))
    expect(server.seen[0]?.path).toContain('fieldManager=worker')
    await host.use(ObjectClientCap).for(Widget).get('default/a')
    expect(await host.health()).toContainEqual({ name: 'client/api-connection', ok: true, readinessOnly: true })
  },
)

it('starts while the API is away, says so in its health, and closes with the host', async () => {
  const host = hostOf({ server: 'https://127.0.0.1:1' })
  await host.start()
  const client = host.use(ObjectClientCap)
  expect(await refusal(client.for(Widget).get('default/a'))).toMatchObject({ reason: 'ServiceUnavailable' })
  expect(await host.health()).toContainEqual({
    name: 'client/api-connection',
    ok: false,
    readinessOnly: true,
    reason: expect.stringContaining('cannot be reached'),
  })
})

it('reports every fault of its configuration, with its place and without its secrets', async () => {
  const problems = await hostOf({
    server: 'http://example.org',
    token: 'secret-value',
    tokenFile: '/t',
    cert: 'secret-value',
    colour: 1,
    keepAliveSeconds: -1,
  }).check()
  expect(problems.length).toBeGreaterThan(0)
  expect(JSON.stringify(problems)).not.toContain('secret-value')
  const all = await hostOf({ server: 'http://example.org', token: 'secret-value', tokenFile: '/t', cert: 'secret-value' }).check()
  expect(all.map(({ path, message }) => `${path} ${message}`)).toEqual([
    expect.stringMatching(/server .*must use https/),
    expect.stringMatching(/tokenFile .*stands beside token/),
    expect.stringMatching(/cert .*needs both cert and key/),
  ])
  expect((await hostOf({}).check())[0]).toMatchObject({ path: expect.stringContaining('server') })
  expect((await hostOf({ kubeconfig: '/k', ca: 'x' }).check())[0]).toMatchObject({ path: expect.stringContaining('ca') })
})

it('does not start on a kubeconfig that cannot be read', async () => {
  await expect(hostOf({ kubeconfig: '/nowhere/kubeconfig' }).start()).rejects.toThrow(
    /kubeconfig \/nowhere\/kubeconfig cannot be read: ENOENT/,
  )
})
