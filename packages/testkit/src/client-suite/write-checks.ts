import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { type ClientCheck, refusal } from './client-check.ts'

export const writeChecks: readonly ClientCheck[] = [
  {
    name: 'create fills in what the system decides, and get gives back the same',
    async run({ gauges, gauge, at, namespace }) {
      const made = await gauges.create(gauge('a', { owner: 'me' }))
      match(made.metadata.uid ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      match(made.metadata.creationTimestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      equal(made.metadata.generation, 1)
      equal(made.metadata.namespace, namespace)
      ok(Number(made.metadata.resourceVersion) > 0)
      deepEqual(made.spec, { size: 1, owner: 'me' })
      deepEqual(await gauges.get(at('a')), made)
      deepEqual(await gauges.get({ namespace, name: 'a' }), made)
    },
  },
  {
    name: 'create ignores the status and what the system decides',
    async run({ gauges, gauge }) {
      const made = await gauges.create({
        ...gauge(
          'a',
          {},
          { uid: 'mine', generation: 7, creationTimestamp: '2001-01-01T00:00:00Z', deletionTimestamp: '2001-01-01T00:00:00Z' },
        ),
        status: { phase: 'Faked' },
      })
      equal(made.status, undefined)
      notEqual(made.metadata.uid, 'mine')
      equal(made.metadata.generation, 1)
      notEqual(made.metadata.creationTimestamp, '2001-01-01T00:00:00Z')
      equal(made.metadata.deletionTimestamp, undefined)
    },
  },
  {
    name: 'refuses to create what exists with 409 AlreadyExists',
    async run({ gauges, gauge }) {
      await gauges.create(gauge('a'))
      const error = await refusal(gauges.create(gauge('a')), 'AlreadyExists', 409)
      equal(error.message, 'gauges.suite.continuo.dev "a" already exists')
      deepEqual(error.details, { name: 'a', group: 'suite.continuo.dev', kind: 'gauges' })
    },
  },
  {
    name: 'answers 404 NotFound for what does not exist',
    async run({ gauges, gauge, at }) {
      const error = await refusal(gauges.get(at('none')), 'NotFound', 404)
      equal(error.message, 'gauges.suite.continuo.dev "none" not found')
      await refusal(gauges.update(gauge('none')), 'NotFound', 404)
      await refusal(gauges.patch(at('none'), { type: 'merge', body: {} }), 'NotFound', 404)
      await refusal(gauges.delete(at('none')), 'NotFound', 404)
    },
  },
  {
    name: 'creates in namespaces that exist, and in no other',
    async run({ gauges, gauge }) {
      const error = await refusal(gauges.create(gauge('a', {}, { namespace: 'no-such-namespace' })), 'NotFound', 404)
      equal(error.message, 'namespaces "no-such-namespace" not found')
    },
  },
  {
    name: 'generateName makes five characters up',
    async run({ gauges, gauge }) {
      const base = gauge('', {}, { generateName: 'made-' })
      const [one, two] = await Promise.all([gauges.create(base), gauges.create(base)])
      match(one.metadata.name, /^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
      notEqual(one.metadata.name, two.metadata.name)
    },
  },
  {
    name: 'refuses invalid objects with 422 and every cause',
    async run({ gauges, gauge }) {
      const error = await refusal(gauges.create(gauge('a', { size: -1, owner: 3 as unknown as string })), 'Invalid', 422)
      deepEqual(error.details?.causes?.map((cause) => cause.field).sort(), ['spec.owner', 'spec.size'])
      equal(error.details?.kind, 'Gauge')
      const name = await refusal(gauges.create(gauge('Bad_Name')), 'Invalid', 422)
      equal(name.details?.causes?.[0]?.field, 'metadata.name')
      await refusal(gauges.create(gauge('a', {}, { labels: { 'not a key': 'x' } })), 'Invalid', 422)
    },
  },
  {
    name: 'refuses names that would leave their place',
    async run({ gauges, gauge, namespace }) {
      await refusal(gauges.create(gauge('../b')), 'Invalid', 422)
      const error = await gauges.get({ namespace, name: '..' }).catch((thrown) => thrown)
      ok(error.status === 400 || error.status === 404, `status ${error.status}`)
    },
  },
  {
    name: 'field validation: strict refuses, warn and ignore drop unknown fields',
    async run({ gauges, gauge }) {
      const odd = gauge('a', { size: 1, wings: 2 } as object)
      const error = await refusal(gauges.create(odd, { fieldValidation: 'Strict' }), 'BadRequest', 400)
      match(error.message, /strict decoding error: unknown field "spec\.wings"/)
      const made = await gauges.create(odd, { fieldValidation: 'Ignore' })
      deepEqual(made.spec, { size: 1 })
    },
  },
  {
    name: 'a local mistake is refused by default: field validation is strict unless told otherwise',
    async run({ gauges, gauge }) {
      await refusal(gauges.create(gauge('a', { wings: 2 } as object)), 'BadRequest', 400)
    },
  },
  {
    name: 'update replaces the spec, keeps the status, and raises the generation with the spec only',
    async run({ gauges, gauge, at }) {
      const made = await gauges.create(gauge('a', { owner: 'me' }))
      await gauges.updateStatus({ ...made, status: { phase: 'Up' } })
      const current = await gauges.get(at('a'))
      equal(current.metadata.generation, 1)
      const next = await gauges.update({ ...current, spec: { size: 4 }, status: { phase: 'Faked' } })
      deepEqual([next.spec, next.status, next.metadata.generation], [{ size: 4 }, { phase: 'Up' }, 2])
      const labelled = await gauges.update({ ...next, metadata: { ...next.metadata, labels: { a: 'b' } } })
      equal(labelled.metadata.generation, 2)
      deepEqual([labelled.metadata.uid, labelled.metadata.creationTimestamp], [made.metadata.uid, made.metadata.creationTimestamp])
    },
  },
  {
    name: 'updateStatus changes nothing but the status',
    async run({ gauges, gauge }) {
      const made = await gauges.create(gauge('a', { size: 2 }))
      const next = await gauges.updateStatus({ ...made, spec: { size: 9 }, status: { phase: 'Up' } })
      deepEqual([next.spec, next.status, next.metadata.generation], [{ size: 2 }, { phase: 'Up' }, 1])
    },
  },
  {
    name: 'a stale update is 409 Conflict, one without version wins',
    async run({ gauges, gauge, at }) {
      const made = await gauges.create(gauge('a'))
      await gauges.update({ ...made, spec: { size: 2 } })
      const error = await refusal(gauges.update({ ...made, spec: { size: 3 } }), 'Conflict', 409)
      match(error.message, /the object has been modified; please apply your changes to the latest version and try again/)
      await refusal(gauges.updateStatus({ ...made, status: { phase: 'x' } }), 'Conflict', 409)
      await gauges.update(gauge('a', { size: 5 }))
      equal((await gauges.get(at('a'))).spec?.size, 5)
    },
  },
  {
    name: 'an update with the uid of another object is 409 Conflict',
    async run({ gauges, gauge }) {
      await gauges.create(gauge('a'))
      await refusal(gauges.update(gauge('a', { size: 2 }, { uid: '11111111-1111-4111-8111-111111111111' })), 'Conflict', 409)
    },
  },
  {
    name: 'an update that changes nothing writes nothing',
    async run({ gauges, gauge }) {
      const made = await gauges.create(gauge('a', { size: 2 }))
      const same = await gauges.update(made)
      equal(same.metadata.resourceVersion, made.metadata.resourceVersion)
    },
  },
  {
    name: 'many writers without versions lose no patch',
    async run({ gauges, gauge, at }) {
      await gauges.create(gauge('a', { tags: {} }))
      const writers = Array.from({ length: 12 }, (_, index) =>
        gauges.patch(at('a'), { type: 'merge', body: { spec: { tags: { [`t${index}`]: 'x' } } } }),
      )
      await Promise.all(writers)
      equal(Object.keys((await gauges.get(at('a'))).spec?.tags ?? {}).length, 12)
    },
  },
  {
    name: 'a dry run answers as if, and stores nothing',
    async run({ gauges, gauge, at }) {
      const made = await gauges.create(gauge('a', { size: 7 }), { dryRun: true })
      deepEqual(made.spec, { size: 7 })
      ok(made.metadata.uid)
      await refusal(gauges.get(at('a')), 'NotFound', 404)
      const real = await gauges.create(gauge('a'))
      await refusal(gauges.create(gauge('a'), { dryRun: true }), 'AlreadyExists', 409)
      equal((await gauges.update({ ...real, spec: { size: 3 } }, { dryRun: true })).spec?.size, 3)
      equal((await gauges.patch(at('a'), { type: 'merge', body: { spec: { size: 4 } } }, { dryRun: true })).spec?.size, 4)
      await gauges.delete(at('a'), { dryRun: true })
      deepEqual(await gauges.get(at('a')), real)
    },
  },
  {
    name: 'what is returned belongs to the caller',
    async run({ gauges, gauge, at, namespace }) {
      const input = gauge('a', { tags: { k: 'v' } })
      const made = await gauges.create(input)
      deepEqual(input, gauge('a', { tags: { k: 'v' } }))
      made.spec = { size: 99 }
      const read = await gauges.get(at('a'))
      ;(read.spec as { tags: Record<string, string> }).tags.k = 'changed'
      for (const item of (await gauges.list({ namespace })).items) item.metadata.name = 'changed'
      deepEqual((await gauges.get(at('a'))).spec, { size: 1, tags: { k: 'v' } })
    },
  },
  {
    name: 'subresources read and write their part, with the version of their parent',
    async run({ gauges, gauge, at }) {
      await gauges.create(gauge('a', { size: 2 }))
      const scale = gauges.subresource('scale')
      const body = await scale.get(at('a'))
      deepEqual([body.apiVersion, body.kind, body.spec], ['autoscaling/v1', 'Scale', { replicas: 2 }])
      const scaled = await scale.update(at('a'), { ...body, spec: { replicas: 6 } })
      deepEqual(scaled.spec, { replicas: 6 })
      await refusal(scale.update(at('a'), { ...body, spec: { replicas: 8 } }), 'Conflict', 409)
      await scale.patch(at('a'), { type: 'merge', body: { spec: { replicas: 3 } } })
      const parent = await gauges.get(at('a'))
      deepEqual([parent.spec?.size, parent.metadata.generation], [3, 3])
      await refusal(gauges.subresource('nothing').get(at('a')), 'NotFound', 404)
    },
  },
  {
    name: 'kinds that are not served are 404, by handle and by resource',
    async run({ client }) {
      const gvr = { group: 'none.continuo.dev', version: 'v1', resource: 'nothings' }
      await refusal(client.resource(gvr), 'NotFound', 404)
      await refusal(client.for({ ...gvr, kind: 'Nothing', namespaced: false }).list(), 'NotFound', 404)
    },
  },
  {
    name: 'resources lists what is served, and resource serves any of it',
    async run({ client, gauge, namespace }) {
      const served = await client.resources()
      const found = served.find((one) => one.resource === 'gauges')
      deepEqual([found?.group, found?.version, found?.kind, found?.namespaced], ['suite.continuo.dev', 'v1', 'Gauge', true])
      const gauges = await client.resource({ group: 'suite.continuo.dev', version: 'v1', resource: 'gauges' })
      await gauges.create(gauge('a') as never)
      equal((await gauges.list({ namespace })).items.length, 1)
    },
  },
  {
    name: 'with names the field manager of what is written',
    async run({ client, gauges, gauge }) {
      const made = await client
        .with({ fieldManager: 'somebody' })
        .for(gauges.kind)
        .create(gauge('a', { owner: 'me' }))
      deepEqual(
        made.metadata.managedFields?.map((entry) => [entry.manager, entry.operation]),
        [['somebody', 'Update']],
      )
      const next = await gauges.update({ ...made, spec: { size: 2, owner: 'me' } }, { fieldManager: 'another' })
      deepEqual(next.metadata.managedFields?.map((entry) => entry.manager).sort(), ['another', 'somebody'])
    },
  },
  {
    name: 'a fence that moved on stops every write with 409 Conflict',
    async run({ client, gauges, gauge, namespace }) {
      const epoch = await gauges.create(gauge('epoch'))
      const fence = {
        group: gauges.kind.group,
        resource: 'gauges',
        namespace,
        name: 'epoch',
        resourceVersion: epoch.metadata.resourceVersion ?? '',
      }
      const leader = client.with({ fence }).for(gauges.kind)
      const made = await leader.create(gauge('a'))
      await gauges.update({ ...epoch, spec: { size: 2 } })
      await refusal(leader.create(gauge('b')), 'Conflict', 409)
      await refusal(leader.update({ ...made, spec: { size: 2 } }), 'Conflict', 409)
      await refusal(leader.delete(made as never), 'Conflict', 409)
      deepEqual(
        (await gauges.list({ namespace })).items.map((item) => item.metadata.name),
        ['a', 'epoch'],
      )
    },
  },
]
