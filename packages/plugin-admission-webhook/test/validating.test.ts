import { Lease } from '@continuo/core'
import { ConfigMap, MutatingWebhookConfiguration, Node, Pod, Service, ValidatingWebhookConfiguration } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { configMap, configMapRule, startControlPlane, untyped } from './control-plane.ts'
import { startWebhook } from './webhook-server.ts'

const everything = [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }]

describe('a validating webhook that refuses', () => {
  it.each([
    ['with a message', { message: 'no way' }, { message: 'admission webhook "w0.a.io" denied the request: no way', status: 400 }],
    [
      'with a reason',
      { reason: 'Forbidden', code: 403 },
      { message: 'admission webhook "w0.a.io" denied the request: Forbidden', status: 403 },
    ],
    ['without a word', undefined, { message: 'admission webhook "w0.a.io" denied the request without explanation', status: 400 }],
    ['with a code that is none', { message: 'x', code: 200 }, { status: 400 }],
  ])('%s is heard in the words of Kubernetes', async (_what, status, expected) => {
    const hook = await startWebhook(() => ({ allowed: false, ...(status === undefined ? {} : { status }) }))
    const { client, validating } = await startControlPlane()
    await validating('a', { clientConfig: hook.clientConfig() })
    await expect(client.for(ConfigMap).create(untyped(configMap('a')))).rejects.toMatchObject(expected)
    await expect(client.for(ConfigMap).get('default/a')).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('passes its own reason and details on, and no reason where it gave none', async () => {
    const hook = await startWebhook(({ request }) => ({
      allowed: false,
      status:
        request.name === 'plain' ? { message: 'm' } : { message: 'm', reason: 'Mine', code: 418, details: { causes: [{ field: 'x' }] } },
    }))
    const { client, validating } = await startControlPlane()
    await validating('a', { clientConfig: hook.clientConfig() })
    const refusal = async (name: string) => {
      const error = await client
        .for(ConfigMap)
        .create(untyped(configMap(name)))
        .catch((cause) => cause)
      return error.toStatus()
    }
    expect(await refusal('own')).toMatchObject({ reason: 'Mine', code: 418, details: { causes: [{ field: 'x' }] } })
    expect(await refusal('plain')).not.toHaveProperty('reason')
  })
})

describe('validating webhooks', () => {
  it('are asked at the same time, and the first by order that refuses has the word', async () => {
    let waiting = 0
    let meet: (() => void) | undefined
    const both = new Promise<void>((resolve) => {
      meet = resolve
    })
    const hook = await startWebhook(async (_review, path) => {
      waiting += 1
      if (waiting === 2) meet?.()
      await both
      return { allowed: false, status: { message: path } }
    })
    const { client, validating } = await startControlPlane()
    await validating('a', { clientConfig: hook.clientConfig('/1') }, { clientConfig: hook.clientConfig('/2') })
    await expect(client.for(ConfigMap).create(untyped(configMap('a')))).rejects.toMatchObject({ message: expect.stringContaining('/1') })
  })

  it('may warn', async () => {
    const hook = await startWebhook(() => ({ allowed: true, warnings: ['careful'], auditAnnotations: { verdict: 'fine' } }))
    const { service, validating } = await startControlPlane()
    await validating('a', { clientConfig: hook.clientConfig() })
    const warnings: string[] = []
    const annotations: Record<string, string> = {}
    const ref = { group: '', version: 'v1', resource: 'configmaps', namespace: 'default', name: 'a' }
    await service.create(
      ref,
      untyped(configMap('a')),
      {},
      {
        user: { username: 'ann' },
        trusted: true,
        warn: (text) => void warnings.push(text),
        annotate: (key, value) => {
          annotations[key] = value
        },
      },
    )
    expect(warnings).toEqual(['careful'])
    expect(annotations).toEqual({ 'w0.a.io/verdict': 'fine' })
  })

  it('are asked in a dry run only if they bear it', async () => {
    const hook = await startWebhook(() => ({ allowed: true }))
    const { client, validating } = await startControlPlane()
    await validating('a', { clientConfig: hook.clientConfig(), sideEffects: 'NoneOnDryRun' })
    await client.for(ConfigMap).create(untyped(configMap('a')), { dryRun: true })
    expect(hook.asked[0]?.review.request).toMatchObject({ dryRun: true, options: { dryRun: ['All'] } })
    await expect(client.for(ConfigMap).get('default/a')).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('speak v1beta1 where they want to', async () => {
    const hook = await startWebhook(() => ({ allowed: true }))
    const { client, validating } = await startControlPlane()
    await validating('a', { clientConfig: hook.clientConfig(), admissionReviewVersions: ['v9', 'v1beta1', 'v1'] })
    await client.for(ConfigMap).create(untyped(configMap('a')))
    expect(hook.asked[0]?.review.apiVersion).toBe('admission.k8s.io/v1beta1')
  })

  it('see streams as CONNECT, with the options of the stream', async () => {
    const hook = await startWebhook(() => ({ allowed: false, status: { message: 'no shells', code: 403 } }))
    const { client, service, validating } = await startControlPlane()
    const spec = { containers: [{ name: 'c', image: 'i' }] }
    await client.for(Pod).create(untyped({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec }))
    await validating('a', {
      clientConfig: hook.clientConfig(),
      rules: [{ operations: ['CONNECT'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods/exec'] }],
    })
    const ref = { group: '', version: 'v1', resource: 'pods', subresource: 'exec', namespace: 'default', name: 'p' }
    const options = untyped({ apiVersion: 'v1', kind: 'PodExecOptions', command: ['sh'] })
    await expect(service.connect(ref, options as never, { user: { username: 'ann' }, trusted: true })).rejects.toMatchObject({
      message: 'admission webhook "w0.a.io" denied the request: no shells',
    })
    expect(hook.asked[0]?.review.request).toMatchObject({
      operation: 'CONNECT',
      kind: { kind: 'PodExecOptions' },
      resource: { resource: 'pods' },
      subResource: 'exec',
      object: { command: ['sh'] },
      options: null,
    })
  })

  it('may change the options of a stream', async () => {
    const patch = Buffer.from(JSON.stringify([{ op: 'replace', path: '/command', value: ['true'] }])).toString('base64')
    const hook = await startWebhook(() => ({ allowed: true, patchType: 'JSONPatch', patch }))
    const { client, service, mutating } = await startControlPlane()
    const spec = { containers: [{ name: 'c', image: 'i' }] }
    await client.for(Pod).create(untyped({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec }))
    const rules = [{ operations: ['CONNECT'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods/exec'] }]
    await mutating('a', { clientConfig: hook.clientConfig(), rules })
    const ref = { group: '', version: 'v1', resource: 'pods', subresource: 'exec', namespace: 'default', name: 'p' }
    const options = untyped({ apiVersion: 'v1', kind: 'PodExecOptions', command: ['sh'] })
    const admitted = await service.connect(ref, options as never, { user: { username: 'ann' }, trusted: true })
    expect(admitted.options).toMatchObject({ command: ['true'] })
  })

  it('see a binding as a Binding', async () => {
    const hook = await startWebhook(() => ({ allowed: true }))
    const { client, validating } = await startControlPlane()
    const spec = { containers: [{ name: 'c', image: 'i' }] }
    await client.for(Pod).create(untyped({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec }))
    await validating('a', {
      clientConfig: hook.clientConfig(),
      rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods/binding'] }],
    })
    const target = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'p', namespace: 'default' },
      target: { kind: 'Node', name: 'n1' },
    }
    await client.for(Pod).subresource('binding').create('default/p', untyped(target))
    expect(hook.asked[0]?.review.request).toMatchObject({ kind: { kind: 'Binding' }, object: { kind: 'Binding', target: { name: 'n1' } } })
  })
})

describe('match conditions', () => {
  const conditions = (expression: string) => ({ matchConditions: [{ name: 'c', expression }] })

  it('let a webhook be asked only when all of them are true', async () => {
    const hook = await startWebhook(() => ({ allowed: true }))
    const { client, validating } = await startControlPlane()
    await validating('a', {
      clientConfig: hook.clientConfig(),
      ...conditions("request.userInfo.username != 'ann' && !object.metadata.name.startsWith('x')"),
    })
    await client
      .as({ username: 'ann' })
      .for(ConfigMap)
      .create(untyped(configMap('by-ann')))
    await client.for(ConfigMap).create(untyped(configMap('x')))
    await client.for(ConfigMap).create(untyped(configMap('seen')))
    expect(hook.asked.map(({ review }) => review.request.name)).toEqual(['seen'])
  })

  it('that fail are a refusal, or passed over', async () => {
    const hook = await startWebhook(() => ({ allowed: false }))
    const { client, validating } = await startControlPlane()
    const failing = conditions('object.data.missing == "x"')
    await validating('a', { clientConfig: hook.clientConfig(), failurePolicy: 'Ignore', ...failing })
    await client.for(ConfigMap).create(untyped(configMap('a')))
    await validating('b', { clientConfig: hook.clientConfig(), ...failing })
    await expect(client.for(ConfigMap).create(untyped(configMap('b')))).rejects.toMatchObject({
      reason: 'Forbidden',
      message: 'configmaps "b" is forbidden: expression \'object.data.missing == "x"\' resulted in error: no such key: missing',
    })
    expect(hook.asked).toEqual([])
  })

  it('that do not compile are refused with their place', async () => {
    const { validating } = await startControlPlane()
    await expect(validating('a', { clientConfig: { url: 'https://127.0.0.1/' }, ...conditions('request.nothing') })).rejects.toMatchObject({
      reason: 'Invalid',
      message: expect.stringContaining(
        'webhooks[0].matchConditions[0].expression: Invalid value: "request.nothing": compilation failed: ERROR: <input>:1:8: undefined field \'nothing\'',
      ),
    })
  })
})

describe('a webhook that fails', () => {
  const failing = async (failurePolicy: string, answer: Parameters<typeof startWebhook>[0], more: object = {}) => {
    const hook = await startWebhook(answer)
    const plane = await startControlPlane()
    await plane.validating('a', { clientConfig: hook.clientConfig(), failurePolicy, ...more })
    return { hook, ...plane }
  }
  const garbage: [string, Parameters<typeof startWebhook>[0], string][] = [
    [
      'garbage',
      () => (_request, response) => response.end('<html>'),
      'failed calling webhook "w0.a.io": failed to call webhook: couldn\'t get version/kind; json parse error',
    ],
    [
      'a redirect',
      () => (_request, response) => response.writeHead(302, { location: 'https://127.0.0.1/' }).end(),
      'failed to call webhook: the server answered with a redirect',
    ],
    [
      'an error',
      () => (_request, response) => response.writeHead(500).end('boom'),
      'failed to call webhook: an error on the server ("boom") has prevented the request from succeeding',
    ],
    ['too much', () => (_request, response) => response.end(Buffer.alloc(9 * 1024 * 1024, 'x')), 'the answer is larger than 8388608 bytes'],
    [
      'another review',
      ({ request }) => ({ uid: `${request.uid}x`, allowed: true }),
      'received invalid webhook response: expected response.uid=',
    ],
    [
      'a patch',
      () => ({ allowed: true, patch: 'W10=', patchType: 'JSONPatch' }),
      'received invalid webhook response: validating webhook may not return response.patch',
    ],
    [
      'nothing',
      () => (_request, response) => response.end('{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}'),
      'webhook response was absent',
    ],
  ]
  it.each(garbage)('by answering %s is a refusal, with what went wrong', async (_what, answer, message) => {
    const { client } = await failing('Fail', answer)
    await expect(client.for(ConfigMap).create(untyped(configMap('a')))).rejects.toMatchObject({
      reason: 'InternalError',
      status: 500,
      message: expect.stringContaining(message),
    })
  })

  it.each(garbage)('by answering %s is passed over with Ignore', async (_what, answer) => {
    const { client, metrics } = await failing('Ignore', answer)
    await client.for(ConfigMap).create(untyped(configMap('a')))
    expect(await metrics()).toContain('apiserver_admission_webhook_fail_open_count{name="w0.a.io",type="validating"} 1')
  })

  it('by its silence does so when its time is over', async () => {
    const { client, hook } = await failing('Fail', () => () => {}, { timeoutSeconds: 1 })
    await expect(client.for(ConfigMap).create(untyped(configMap('a')))).rejects.toMatchObject({
      message: `Internal error occurred: failed calling webhook "w0.a.io": failed to call webhook: Post "${hook.clientConfig().url}?timeout=1s": context deadline exceeded`,
    })
  })

  it('by being away is told so', async () => {
    const { client, hook } = await failing('Fail', () => ({ allowed: true }))
    await hook.stop()
    await expect(client.for(ConfigMap).create(untyped(configMap('a')))).rejects.toMatchObject({
      message: `Internal error occurred: failed calling webhook "w0.a.io": failed to call webhook: Post "${hook.clientConfig().url}?timeout=10s": dial tcp 127.0.0.1:${hook.port}: connect: connection refused`,
      details: { causes: [{ message: expect.stringContaining('connection refused') }] },
    })
  })

  it('cannot lock the system out: not of configurations, leases, nodes, and what the webhook itself is made of', async () => {
    const hook = await startWebhook(() => ({ allowed: true }))
    const { client, validating, mutating } = await startControlPlane()
    const service = { namespace: 'default', name: 'hook' }
    const dead = { clientConfig: { service, caBundle: hook.caBundle }, rules: everything }
    await client.for(Service).create(
      untyped({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'hook', namespace: 'default' },
        spec: { selector: { app: 'hook' }, ports: [{ port: 443 }] },
      }),
    )
    await validating('all', dead)
    await mutating('all', dead)
    const pod = (name: string, labels: object) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', labels },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    })
    await expect(client.for(ConfigMap).create(untyped(configMap('a')))).rejects.toMatchObject({
      message: expect.stringContaining('no endpoints available for service "hook"'),
    })
    await expect(client.for(Pod).create(untyped(pod('other', { app: 'other' })))).rejects.toMatchObject({ status: 500 })
    await client.for(Pod).create(untyped(pod('hook', { app: 'hook' })))
    await client
      .for(Pod)
      .subresource('binding')
      .create(
        'default/hook',
        untyped({
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name: 'hook', namespace: 'default' },
          target: { kind: 'Node', name: 'n' },
        }),
      )
    await client.for(Node).create(untyped({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }))
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'n', namespace: 'kube-system' },
      spec: { holderIdentity: 'n' },
    }
    await client.for(Lease).create(untyped(lease))
    await client.for(ValidatingWebhookConfiguration).delete('all')
    await client.for(MutatingWebhookConfiguration).delete('all')
    await client.for(ConfigMap).create(untyped(configMap('a')))
  })
})

describe('metrics', () => {
  it('count what was asked, under the names of Kubernetes', async () => {
    const hook = await startWebhook(({ request }) => ({ allowed: request.name !== 'bad', status: { code: 403 } }))
    const { client, validating, metrics } = await startControlPlane()
    await validating('a', { clientConfig: hook.clientConfig(), rules: [configMapRule] })
    await client.for(ConfigMap).create(untyped(configMap('good')))
    await client
      .for(ConfigMap)
      .create(untyped(configMap('bad')))
      .catch(() => {})
    const text = await metrics()
    expect(text).toMatch(/apiserver_admission_webhook_request_total\{.*code="200".*\} 1/)
    expect(text).toMatch(/apiserver_admission_webhook_rejection_count\{.*error_type="no_error",rejection_code="403"\} 1/)
    expect(text).toContain('apiserver_admission_webhook_admission_duration_seconds_bucket')
  })
})
