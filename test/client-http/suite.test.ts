import type { ObjectClient } from '@continuo/core'
import { gaugeResource, objectClientSuite } from '@continuo/testkit'
import { adminToken, localClient, type RunningApi, startApi } from './running-api.ts'

const suite = (name: string, tls: boolean, connect: (api: RunningApi) => Promise<ObjectClient>): void =>
  objectClientSuite(name, async () => {
    const api = await startApi({ kinds: [gaugeResource], tls })
    return { client: await connect(api), compact: () => api.compact(), dispose: () => api[Symbol.asyncDispose]() }
  })

suite('local', true, async (api) => localClient(api))
suite('HTTP/2 with a client certificate', true, (api) => api.connect())
suite('HTTP/2 with a token', true, (api) => api.connect({ cert: undefined, key: undefined, token: adminToken }))
suite('HTTP/2 on behalf of another administrator', true, async (api) =>
  (await api.connect()).as({ username: 'other', groups: ['system:masters'] }),
)
suite('HTTP/1.1 on the loopback', false, (api) => api.connect({ token: adminToken }))
