import { expect, it } from 'vitest'
import {
  AdmissionCommitted,
  AdmissionMutate,
  type AdmissionRequest,
  AdmissionValidate,
  ApiError,
  ClientAuthorize,
  definePlugin,
  type Hook,
  MemoryStore,
  type Tap,
  type UnstructuredObject,
} from '../../src/index.ts'
import { startCluster, Widget, widget } from '../client/cluster.ts'

const tapping = <T extends object>(hook: Hook<T>, tap: Tap<T>) =>
  definePlugin({ name: 'tap', api: '^1', setup: (ctx) => ctx.tap(hook, tap) })

const sizeOf = (object: unknown): number | undefined => (object as Widget | undefined)?.spec?.size

it('mutates before validation, validates the final object, and tells once what was committed', async () => {
  const order: string[] = []
  const { client } = await startCluster({
    plugins: [
      tapping(AdmissionMutate, ({ object, operation }) => {
        order.push(`mutate ${operation}`)
        if (object?.kind === 'Widget') object.spec = { ...(object.spec as object), owner: 'admission' }
      }),
      tapping(AdmissionValidate, ({ object, oldObject }) => {
        order.push(`validate ${(object?.spec as { owner?: string })?.owner ?? '-'} ${oldObject === undefined ? 'new' : 'old'}`)
      }),
      tapping(AdmissionCommitted, ({ resourceVersion }) => void order.push(`committed ${Number(resourceVersion) > 0}`)),
    ],
  })
  order.length = 0
  const made = await client.for(Widget).create(widget('a'))
  expect(made.spec?.owner).toBe('admission')
  await client.for(Widget).delete('default/a')
  expect(order).toEqual(['mutate CREATE', 'validate admission new', 'committed true', 'mutate DELETE', 'validate - old', 'committed true'])
})

it('refuses by throwing, and then nothing is written', async () => {
  const { client } = await startCluster({
    plugins: [
      tapping(AdmissionValidate, ({ name }) => {
        if (name === 'bad') throw new ApiError('Forbidden', 'not this one')
      }),
    ],
  })
  await expect(client.for(Widget).create(widget('bad'))).rejects.toMatchObject({ reason: 'Forbidden', message: 'not this one' })
  await expect(client.for(Widget).get('default/bad')).rejects.toMatchObject({ reason: 'NotFound' })
})

it('commits companion writes and claims with the object, all or nothing, and drops them in a dry run', async () => {
  const { client, store } = await startCluster({
    plugins: [
      tapping(AdmissionMutate, (request: AdmissionRequest) => {
        if (request.kind.kind !== 'Widget' || request.name === 'companion') return
        if (request.operation === 'CREATE') {
          request.companion({
            type: 'claim',
            key: `allocations/sizes/${sizeOf(request.object)}`,
            value: request.name,
          })
          if (request.name === 'pair') request.companion({ type: 'create', kind: Widget, object: widget('companion') })
        } else if (request.operation === 'DELETE') {
          request.companion({ type: 'release', key: `allocations/sizes/${sizeOf(request.oldObject)}` })
        }
      }),
    ],
  })
  const widgets = client.for(Widget)
  await widgets.create(widget('dry', { size: 7 }), { dryRun: true })
  await widgets.create(widget('a', { size: 7 }))
  expect(Buffer.from((await store.get('/allocations/sizes/7')).entry?.value ?? '').toString()).toBe('a')
  await expect(widgets.create(widget('b', { size: 7 }))).rejects.toMatchObject({ status: 409 })
  await expect(widgets.get('default/b')).rejects.toMatchObject({ status: 404 })
  await widgets.delete('default/a')
  await widgets.create(widget('b', { size: 7 }))
  const before = await store.head()
  const pair = await widgets.create(widget('pair', { size: 8 }))
  expect(await store.head()).toBe(before + 1)
  expect((await widgets.get('default/companion')).metadata).toMatchObject({
    uid: expect.any(String),
    resourceVersion: pair.metadata.resourceVersion,
  })
})

it('runs anew when what it relied on changed: exactly as many are admitted as the quota says', async () => {
  const quota = 5
  const { client } = await startCluster({
    plugins: [
      tapping(AdmissionMutate, (request: AdmissionRequest) => {
        if (request.operation !== 'CREATE' || request.kind.kind !== 'Widget' || request.name === 'counter') return
        const counter = request.read.get(Widget, { namespace: 'default', name: 'counter' })
        if (counter === undefined) throw new ApiError('InternalError', 'no counter')
        const used = counter.spec?.size ?? 0
        if (used >= quota) throw new ApiError('Forbidden', 'exceeded quota')
        request.companion({ type: 'update', kind: Widget, object: { ...counter, spec: { ...counter.spec, size: used + 1 } } as Widget })
      }),
    ],
  })
  const widgets = client.for(Widget)
  await widgets.create(widget('counter', { size: 0 }))
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => widgets.create(widget(`w${index}`))))
  expect(results.filter((result) => result.status === 'fulfilled').length).toBe(quota)
  expect((await widgets.list({ namespace: 'default' })).items.length).toBe(quota + 1)
  expect((await widgets.get('default/counter')).spec?.size).toBe(quota)
})

it('authorises who is not trusted, and lets pass who is', async () => {
  const asked: string[] = []
  const { client } = await startCluster({
    store: new MemoryStore(),
    plugins: [
      tapping(ClientAuthorize, ({ caller, verb, resource }) => {
        asked.push(`${caller.user.username} ${verb} ${resource.resource}`)
        if (caller.user.username === 'eve') throw new ApiError('Forbidden', 'eve may not')
      }),
    ],
  })
  await client.for(Widget).create(widget('a'))
  expect(asked).toEqual([])
  await expect(client.as({ username: 'eve' }).for(Widget).get('default/a')).rejects.toMatchObject({ status: 403 })
  await client.as({ username: 'ann' }).for(Widget).list()
  expect(asked).toEqual(['eve get widgets', 'ann list widgets'])
})

it('asks whether an apply may create what is not there, also of callers whose URL was authorised', async () => {
  const asked: string[] = []
  const { service } = await startCluster({
    store: new MemoryStore(),
    plugins: [tapping(ClientAuthorize, ({ verb, resource, name }) => void asked.push(`${verb} ${resource.resource} ${name}`))],
  })
  const caller = { user: { username: 'ann' }, trusted: false, authorized: true }
  const ref = { group: Widget.group, version: Widget.version, resource: Widget.resource, namespace: 'default', name: 'w' }
  const apply = () =>
    service.patch(ref, { type: 'apply', body: widget('w') as unknown as UnstructuredObject }, { fieldManager: 'ann' }, caller)
  await apply()
  await apply()
  expect(asked).toEqual(['create widgets w'])
})

it('runs the mutating stage once more when a tap asks for it, and asks anew what the commit needs', async () => {
  const rounds: string[] = []
  const { client, store } = await startCluster({
    plugins: [
      tapping(AdmissionMutate, (request: AdmissionRequest) => {
        if (request.kind.kind !== 'Widget') return
        const size = (sizeOf(request.object) ?? 0) + 1
        if (request.object !== undefined) request.object.spec = { size }
        rounds.push(`${request.isReinvocation ? 'second' : 'first'} ${size}`)
        request.companion({ type: 'claim', key: 'allocations/sizes/one', value: String(size) })
        request.reinvoke()
      }),
    ],
  })
  const made = await client.for(Widget).create(widget('a', { size: 1 }))
  expect(rounds).toEqual(['first 2', 'second 3'])
  expect(made.spec?.size).toBe(3)
  expect(Buffer.from((await store.get('/allocations/sizes/one')).entry?.value ?? '').toString()).toBe('3')
})
