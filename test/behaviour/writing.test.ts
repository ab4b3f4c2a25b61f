import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { behavingApi, collection, configMap, type Stored } from './behaving-api.ts'

const behaving = behavingApi()
const merge = 'application/merge-patch+json'
const apply = 'application/apply-patch+yaml'
const deployment = (name: string): Stored => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'host' }] } },
  },
})
const deployments = '/apis/apps/v1/namespaces/default/deployments'

describe('names and versions', () => {
  it('generateName adds five characters, and a name that is given wins', async () => {
    const { ask } = behaving()
    const generated = (await ask('POST', collection, { ...configMap('x'), metadata: { generateName: 'gen-' } })).metadata
    expect(generated).toMatchObject({ generateName: 'gen-', name: expect.stringMatching(/^gen-[a-z0-9]{5}$/) })
    expect((await ask('POST', collection, configMap('given', {}, { generateName: 'gen-' }))).metadata.name).toBe('given')
  })

  it('preconditions of uid and resourceVersion hold for deletions', async () => {
    const { ask, refused } = behaving()
    const { metadata } = await ask('POST', collection, configMap('guarded'))
    const path = `${collection}/guarded`
    expect(await refused('DELETE', path, { preconditions: { uid: 'other' } })).toMatchObject({ code: 409, reason: 'Conflict' })
    expect(await refused('DELETE', path, { preconditions: { resourceVersion: '1' } })).toMatchObject({ code: 409, reason: 'Conflict' })
    const { uid, resourceVersion } = metadata
    expect(await ask('DELETE', path, { preconditions: { uid, resourceVersion } })).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { uid },
    })
  })

  it('a stale update and a patch that names a stale version are conflicts; one that names none is not', async () => {
    const { ask, refused } = behaving()
    const old = await ask('POST', collection, configMap('stale'))
    await ask('PATCH', `${collection}/stale`, { data: { a: '1' } }, merge)
    expect(await refused('PUT', `${collection}/stale`, old)).toMatchObject({ code: 409, reason: 'Conflict' })
    const { resourceVersion } = old.metadata
    expect(await refused('PATCH', `${collection}/stale`, { metadata: { resourceVersion }, data: {} }, merge)).toMatchObject({ code: 409 })
    const unconditional = { ...old, metadata: { ...old.metadata, resourceVersion: undefined } }
    expect((await ask('PUT', `${collection}/stale`, unconditional)).data).toBeUndefined()
  })

  it('the generation rises with the spec alone', async () => {
    const { ask } = behaving()
    await ask('POST', deployments, deployment('generation'))
    const patch = async (body: object, subresource = '') =>
      (await ask('PATCH', `${deployments}/generation${subresource}`, body, merge)).metadata.generation
    expect(await patch({ metadata: { labels: { a: 'b' } } })).toBe(1)
    expect(await patch({ status: { replicas: 7 } }, '/status')).toBe(1)
    expect(await patch({ spec: { paused: true } })).toBe(2)
    expect(await patch({ spec: { paused: true } })).toBe(2)
  })
})

describe('a status', () => {
  const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'main', image: 'host' }] } }
  const selector = { matchLabels: { app: 'x' } }

  it.each([
    ['/apis/apps/v1', 'deployments', 'Deployment', { selector, template }, {}],
    ['/apis/apps/v1', 'replicasets', 'ReplicaSet', { selector, template }, { replicas: 0 }],
    [
      '/apis/apps/v1',
      'daemonsets',
      'DaemonSet',
      { selector, template },
      { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
    ],
    [
      '/apis/policy/v1',
      'poddisruptionbudgets',
      'PodDisruptionBudget',
      { selector, minAvailable: 1 },
      { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
    ],
  ])('is there from the beginning, with the counts that are always told: %s %s', async (base, plural, kind, spec, status) => {
    const made = await behaving().ask('POST', `${base}/namespaces/default/${plural}`, {
      apiVersion: base.slice('/apis/'.length),
      kind,
      metadata: { name: 'fresh' },
      spec,
      status: { conditions: [], replicas: 9 },
    })
    expect(made.status).toEqual(status)
    expect(JSON.stringify(made.metadata.managedFields)).not.toContain('f:status')
  })
})

describe('dry run', () => {
  it('of every kind of write says what would be, and stores nothing', async () => {
    const { ask, refused } = behaving()
    const dry = (path: string): string => `${path}${path.includes('?') ? '&' : '?'}dryRun=All`
    const created = await ask('POST', dry(collection), configMap('dry'))
    expect(created.metadata).toMatchObject({ uid: expect.any(String), creationTimestamp: expect.any(String) })
    expect((await refused('GET', `${collection}/dry`)).reason).toBe('NotFound')
    const stored = await ask('POST', collection, configMap('dry', { data: { a: '1' } }))
    const path = `${collection}/dry`
    expect((await ask('PUT', dry(path), { ...stored, data: { a: '2' } })).data).toEqual({ a: '2' })
    expect((await ask('PATCH', dry(path), { data: { a: '3' } }, merge)).data).toEqual({ a: '3' })
    expect((await ask('PATCH', dry(path), [{ op: 'remove', path: '/data/a' }], 'application/json-patch+json')).data ?? {}).toEqual({})
    expect((await ask('PATCH', dry(`${path}?fieldManager=m&force=true`), configMap('dry', { data: { a: '4' } }), apply)).data).toEqual({
      a: '4',
    })
    await ask('DELETE', dry(path))
    await ask('DELETE', dry(`${collection}?labelSelector=!none`))
    expect(await ask('GET', path)).toEqual(stored)
    expect(await refused('POST', `${collection}?dryRun=Some`, configMap('dry-2'))).toMatchObject({ code: 422, reason: 'Invalid' })
    await ask('POST', deployments, deployment('dry'))
    await ask('PATCH', dry(`${deployments}/dry/scale`), { spec: { replicas: 5 } }, merge)
    expect((await ask('GET', `${deployments}/dry`)).spec.replicas).toBe(1)
  })
})

describe('field validation', () => {
  const unknown = JSON.stringify({ ...deployment('strict'), speck: 1 }).replace('"replicas":1', '"replicas":1,"replicas":2')

  it('Strict names what is unknown and what stands twice', async () => {
    const { code, reason, message } = await behaving().refused('POST', `${deployments}?fieldValidation=Strict&dryRun=All`, unknown)
    expect([code, reason]).toEqual([400, 'BadRequest'])
    expect(message).toMatch(
      /strict decoding error: .*duplicate field "spec\.replicas".*unknown field "speck"|strict decoding error: .*unknown field "speck".*duplicate field "spec\.replicas"/,
    )
  })

  it('Warn, the default, warns of them; Ignore says nothing', async () => {
    const { api } = behaving()
    for (const [query, warnings] of [
      ['', 2],
      ['&fieldValidation=Warn', 2],
      ['&fieldValidation=Ignore', 0],
    ] as const) {
      const answer = await api.ok('POST', `${deployments}?dryRun=All${query}`, { body: unknown })
      expect([query, [...String(answer.headers.warning ?? '').matchAll(/299 - "/g)].length]).toEqual([query, warnings])
    }
  })
})

describe('owners of fields', () => {
  const owners = (object: Stored): string[] =>
    (object.metadata.managedFields ?? []).map((entry: Stored) =>
      `${entry.manager} ${entry.operation} ${entry.apiVersion} ${entry.subresource ?? ''}`.trim(),
    )

  it('whoever changes a field owns it, a status has its own, and a reset forgets all', async () => {
    const { ask } = behaving()
    const path = `${deployments}/owned`
    await ask('POST', `${deployments}?fieldManager=maker`, deployment('owned'))
    await ask('PATCH', `${path}?fieldManager=changer`, { spec: { replicas: 2 } }, merge)
    await ask('PATCH', `${path}/status?fieldManager=teller`, { status: { replicas: 2 } }, merge)
    await ask('PATCH', `${path}/scale?fieldManager=scaler`, { spec: { replicas: 3 } }, merge)
    const stored = await ask('GET', path)
    expect(owners(stored).sort()).toEqual(['maker Update apps/v1', 'scaler Update apps/v1 scale', 'teller Update apps/v1 status'])
    const reset = await ask('PATCH', path, { metadata: { managedFields: [{}] } }, merge)
    expect(owners(reset)).toEqual([])
  })

  it('an apply through scale owns the replicas, and conflicts with the apply of the whole', async () => {
    const { ask, refused } = behaving()
    const path = `${deployments}/applied`
    await ask('PATCH', `${path}?fieldManager=whole`, deployment('applied'), apply)
    const scale = {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'applied', namespace: 'default' },
      spec: { replicas: 4 },
    }
    expect(await refused('PATCH', `${path}/scale?fieldManager=scaler`, scale, apply)).toMatchObject({
      code: 409,
      details: { causes: [{ reason: 'FieldManagerConflict', field: '.spec.replicas' }] },
    })
    await ask('PATCH', `${path}/scale?fieldManager=scaler&force=true`, scale, apply)
    expect(owners(await ask('GET', path))).toContain('scaler Apply apps/v1 scale')
    const { spec, ...rest } = deployment('applied')
    const { replicas: _replicas, ...without } = spec
    expect((await ask('PATCH', `${path}?fieldManager=whole`, { ...rest, spec: without }, apply)).spec.replicas).toBe(4)
  })

  it('managers that speak other versions of a kind own the same fields', async () => {
    const { ask, refused } = behaving()
    const schema = {
      openAPIV3Schema: {
        type: 'object',
        properties: { spec: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } } },
      },
    }
    await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'pairs.behaviour.example.com' },
      spec: {
        group: 'behaviour.example.com',
        scope: 'Namespaced',
        names: { plural: 'pairs', singular: 'pair', kind: 'Pair' },
        versions: [
          { name: 'v1', served: true, storage: true, schema },
          { name: 'v2', served: true, storage: false, schema },
        ],
      },
    })
    const path = (version: string, manager: string, force = false): string =>
      `/apis/behaviour.example.com/${version}/namespaces/default/pairs/one?fieldManager=${manager}${force ? '&force=true' : ''}`
    const pair = (version: string, spec: object) => ({
      apiVersion: `behaviour.example.com/${version}`,
      kind: 'Pair',
      metadata: { name: 'one' },
      spec,
    })
    await eventually(() => ask('PATCH', path('v1', 'first'), pair('v1', { a: '1' }), apply))
    expect(await refused('PATCH', path('v2', 'second'), pair('v2', { a: '2' }), apply)).toMatchObject({ reason: 'Conflict' })
    const both = await ask('PATCH', path('v2', 'second'), pair('v2', { b: '2' }), apply)
    expect(owners(both)).toEqual(['first Apply behaviour.example.com/v1', 'second Apply behaviour.example.com/v2'])
    // The same manager may change its version: it goes on with what it owned.
    const moved = await ask('PATCH', path('v2', 'first'), { ...pair('v2', {}), spec: undefined }, apply)
    expect([moved.spec, owners(moved)]).toEqual([{ b: '2' }, ['second Apply behaviour.example.com/v2']])
  })
})
