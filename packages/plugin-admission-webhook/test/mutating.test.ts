import { type KubeObject, Namespace } from '@continuo/core'
import { ConfigMap, Deployment, MutatingWebhookConfiguration } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { configMap, configMapRule, startControlPlane, untyped } from './control-plane.ts'
import { patchOf, startWebhook } from './webhook-server.ts'

const append = (text: string) => patchOf({ op: 'add', path: '/data/said', value: text })

describe('a mutating webhook', () => {
  it('sees the request as Kubernetes shows it, and changes the object', async () => {
    const hook = await startWebhook(() => patchOf({ op: 'add', path: '/data', value: { added: 'yes' } }))
    const { client, mutating } = await startControlPlane()
    await mutating('first', { clientConfig: hook.clientConfig('/mutate') })
    const created = await client
      .as({ username: 'ann', groups: ['devs'] })
      .for(ConfigMap)
      .create(untyped(configMap('a')))
    expect(created).toMatchObject({ data: { added: 'yes' } })
    expect(hook.asked).toEqual([
      {
        path: '/mutate',
        review: {
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          request: expect.objectContaining({
            uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
            kind: { group: '', version: 'v1', kind: 'ConfigMap' },
            resource: { group: '', version: 'v1', resource: 'configmaps' },
            requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
            requestResource: { group: '', version: 'v1', resource: 'configmaps' },
            name: 'a',
            namespace: 'default',
            operation: 'CREATE',
            userInfo: { username: 'ann', groups: ['devs'] },
            object: expect.objectContaining({ apiVersion: 'v1', kind: 'ConfigMap' }),
            oldObject: null,
            dryRun: false,
            options: expect.objectContaining({ kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' }),
          }),
        },
      },
    ])
  })

  it('sees no name that is generated only, and may give one', async () => {
    const hook = await startWebhook(({ request }) =>
      request.object.metadata.generateName === 'mine-'
        ? patchOf({ op: 'add', path: '/metadata/name', value: 'mine-one' })
        : patchOf({ op: 'add', path: '/data', value: { name: request.object.metadata.name ?? 'none' } }),
    )
    const { client, mutating } = await startControlPlane()
    await mutating('first', { clientConfig: hook.clientConfig('/mutate') })
    const unnamed = (generateName: string) =>
      untyped<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName, namespace: 'default' } })
    const created = await client.for(ConfigMap).create(unnamed('web-'))
    expect(created.metadata.name).toMatch(/^web-.{5}$/)
    expect(created).toMatchObject({ data: { name: 'none' } })
    expect((await client.for(ConfigMap).create(unnamed('mine-'))).metadata.name).toBe('mine-one')
    const asked = hook.asked.length
    await expect(client.for(ConfigMap).create(unnamed('mine-'))).rejects.toMatchObject({ reason: 'AlreadyExists' })
    expect(hook.asked).toHaveLength(asked + 1)
  })

  it('counts from the moment of its creation until that of its deletion', async () => {
    const hook = await startWebhook(() => append('x'))
    const { client, mutating } = await startControlPlane()
    await mutating('brief', { clientConfig: hook.clientConfig() })
    expect(await client.for(ConfigMap).create(untyped(configMap('a')))).toMatchObject({ data: { said: 'x' } })
    await client.for(MutatingWebhookConfiguration).delete('brief')
    expect((await client.for(ConfigMap).create(untyped(configMap('b')))) as KubeObject).not.toHaveProperty('data.said')
  })

  it('follows others by name of the configuration, then as they stand in it', async () => {
    const hook = await startWebhook((_review, path) => append(path))
    const { client, mutating } = await startControlPlane()
    await mutating('b', { clientConfig: hook.clientConfig('/3') })
    await mutating('a', { clientConfig: hook.clientConfig('/1') }, { clientConfig: hook.clientConfig('/2') })
    await client.for(ConfigMap).create(untyped(configMap('x')))
    expect(hook.asked.map(({ path }) => path)).toEqual(['/1', '/2', '/3'])
    expect(hook.asked.map(({ review }) => review.request.object.data?.said)).toEqual([undefined, '/1', '/2'])
  })

  it('is asked once more when something changed after it, if it wants to be', async () => {
    const hook = await startWebhook(({ request }, path) =>
      path === '/late' ? append(`${request.object.data?.said ?? ''}!`) : { allowed: true },
    )
    const { client, mutating } = await startControlPlane()
    await mutating(
      'a',
      { clientConfig: hook.clientConfig('/eager'), reinvocationPolicy: 'IfNeeded' },
      { clientConfig: hook.clientConfig('/once') },
    )
    await mutating(
      'b',
      { clientConfig: hook.clientConfig('/late') },
      { clientConfig: hook.clientConfig('/last'), reinvocationPolicy: 'IfNeeded' },
    )
    expect(await client.for(ConfigMap).create(untyped(configMap('x')))).toMatchObject({ data: { said: '!' } })
    expect(hook.asked.map(({ path }) => path)).toEqual(['/eager', '/once', '/late', '/last', '/eager'])
  })

  it('cannot move the object, and what it adds is pruned and defaulted as a body is', async () => {
    const hook = await startWebhook(({ request }) =>
      request.name === 'moved'
        ? patchOf({ op: 'replace', path: '/metadata/namespace', value: 'kube-system' })
        : patchOf({ op: 'add', path: '/nonsense', value: 1 }),
    )
    const { client, mutating } = await startControlPlane()
    await mutating('a', { clientConfig: hook.clientConfig() })
    await expect(client.for(ConfigMap).create(untyped(configMap('moved')))).rejects.toMatchObject({ reason: 'BadRequest' })
    expect(await client.for(ConfigMap).create(untyped(configMap('pruned')))).not.toHaveProperty('nonsense')
  })

  it('cannot say what only the system says of an object, nor reach into prototypes', async () => {
    const hook = await startWebhook(() =>
      patchOf(
        { op: 'add', path: '/metadata/uid', value: 'mine' },
        { op: 'add', path: '/metadata/managedFields', value: [{ manager: 'nobody' }] },
        { op: 'add', path: '/metadata/deletionTimestamp', value: '2020-01-01T00:00:00Z' },
        { op: 'add', path: '/data', value: JSON.parse('{"__proto__": "x", "a": "b"}') },
      ),
    )
    const { client, mutating } = await startControlPlane()
    await mutating('a', { clientConfig: hook.clientConfig() })
    const { metadata } = await client.for(ConfigMap).create(untyped(configMap('m')))
    expect(metadata.uid).not.toBe('mine')
    expect(metadata.deletionTimestamp).toBeUndefined()
    expect(metadata.managedFields?.map(({ manager }) => manager)).not.toContain('nobody')
    expect(({} as { a?: string }).a).toBeUndefined()
  })

  it('is not asked for a patch of what is deleted', async () => {
    const hook = await startWebhook(() => append('x'))
    const { client, mutating } = await startControlPlane()
    await client.for(ConfigMap).create(untyped(configMap('a')))
    await mutating('a', { clientConfig: hook.clientConfig(), rules: [{ ...configMapRule, operations: ['DELETE'] }] })
    await expect(client.for(ConfigMap).delete('default/a')).rejects.toMatchObject({
      reason: 'InternalError',
      message: expect.stringContaining('attempted to modify the object, which is not supported for this operation'),
    })
    expect(hook.asked[0]?.review.request).toMatchObject({ operation: 'DELETE', object: null, oldObject: { metadata: { name: 'a' } } })
  })

  it('gets a version in which it can read the object, and its patch is put back into that of the request', async () => {
    const hook = await startWebhook(() => patchOf({ op: 'add', path: '/note', value: 'patched' }))
    const { client, mutating } = await startControlPlane()
    const regarding = { apiVersion: 'v1', kind: 'Namespace', name: 'default' }
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e', namespace: 'default' },
      involvedObject: regarding,
      reason: 'Test',
      message: 'sent',
      type: 'Normal',
      source: { component: 'test' },
    }
    await mutating('a', {
      clientConfig: hook.clientConfig(),
      rules: [{ operations: ['CREATE'], apiGroups: ['events.k8s.io'], apiVersions: ['v1'], resources: ['events'] }],
    })
    const events = await client.resource({ group: '', version: 'v1', resource: 'events' })
    const created = await events.create(untyped(event))
    expect(hook.asked[0]?.review.request).toMatchObject({
      kind: { group: 'events.k8s.io', kind: 'Event' },
      requestKind: { group: '', kind: 'Event' },
      object: { apiVersion: 'events.k8s.io/v1', note: 'sent' },
    })
    expect(created).toMatchObject({ apiVersion: 'v1', message: 'patched' })
    await expect(
      mutating('exact', {
        clientConfig: hook.clientConfig(),
        matchPolicy: 'Exact',
        rules: [{ operations: ['CREATE'], apiGroups: ['events.k8s.io'], apiVersions: ['v1'], resources: ['events'] }],
      }),
    ).resolves.toBeUndefined()
    const before = hook.asked.length
    await events.create(untyped({ ...event, metadata: { name: 'f', namespace: 'default' } }))
    expect(hook.asked.length).toBe(before + 1)
  })

  it('sees a scale as a Scale, and what it changes there arrives in the parent', async () => {
    const hook = await startWebhook(() => patchOf({ op: 'replace', path: '/spec/replicas', value: 2 }))
    const { client, mutating } = await startControlPlane()
    await client.for(Deployment).create(
      untyped({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace: 'default' },
        spec: {
          selector: { matchLabels: { app: 'web' } },
          template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
        },
      }),
    )
    await mutating('a', {
      clientConfig: hook.clientConfig(),
      rules: [{ operations: ['UPDATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments/scale'] }],
    })
    await client
      .for(Deployment)
      .subresource('scale')
      .patch('default/web', { type: 'merge', body: { spec: { replicas: 9 } } })
    expect(hook.asked[0]?.review.request).toMatchObject({
      subResource: 'scale',
      kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      object: { kind: 'Scale', spec: { replicas: 9 } },
      oldObject: { kind: 'Scale', spec: { replicas: 1 } },
    })
    expect((await client.for(Deployment).get('default/web')).spec?.replicas).toBe(2)
  })
})

describe('selectors', () => {
  it('choose by labels of the namespace, and of the object before or after', async () => {
    const hook = await startWebhook(() => ({ allowed: true }))
    const { client, mutating } = await startControlPlane()
    await client
      .for(Namespace)
      .create(untyped({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'prod', labels: { env: 'prod' } } }))
    await mutating('a', {
      clientConfig: hook.clientConfig(),
      namespaceSelector: { matchLabels: { env: 'prod' } },
      objectSelector: { matchExpressions: [{ key: 'watched', operator: 'Exists' }] },
      rules: [{ ...configMapRule, operations: ['*'] }],
    })
    const labelled = configMap('a', {}, { watched: 'yes' })
    await client.for(ConfigMap).create(untyped(labelled))
    const inProd = untyped<KubeObject>({ ...labelled, metadata: { ...labelled.metadata, namespace: 'prod' } })
    await client.for(ConfigMap).create(untyped({ ...configMap('plain'), metadata: { name: 'plain', namespace: 'prod' } }))
    await client.for(ConfigMap).create(untyped(inProd))
    await client.for(ConfigMap).patch('prod/a', { type: 'merge', body: { metadata: { labels: { watched: null } } } })
    await client.for(ConfigMap).patch('prod/a', { type: 'merge', body: { data: { a: 'b' } } })
    expect(hook.asked.map(({ review }) => `${review.request.operation} ${review.request.namespace}/${review.request.name}`)).toEqual([
      'CREATE prod/a',
      'UPDATE prod/a',
    ])
  })
})
