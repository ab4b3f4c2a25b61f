import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { type ClientCheck, refusal } from './client-check.ts'

export const patchChecks: readonly ClientCheck[] = [
  {
    name: 'merge patch: sets, and removes by null',
    async run({ gauges, gauge, at }) {
      await gauges.create(gauge('a', { size: 2, owner: 'me', tags: { x: '1', y: '2' } }))
      const next = await gauges.patch(at('a'), { type: 'merge', body: { spec: { owner: null, tags: { x: null, z: '3' } } } })
      deepEqual(next.spec, { size: 2, tags: { y: '2', z: '3' } })
    },
  },
  {
    name: 'JSON patch: operations in order, and a test that fails refuses all',
    async run({ gauges, gauge, at }) {
      await gauges.create(gauge('a', { size: 2 }))
      const next = await gauges.patch(at('a'), {
        type: 'json',
        body: [
          { op: 'test', path: '/spec/size', value: 2 },
          { op: 'replace', path: '/spec/size', value: 3 },
          { op: 'add', path: '/metadata/labels', value: { a: 'b' } },
        ],
      })
      deepEqual([next.spec?.size, next.metadata.labels], [3, { a: 'b' }])
      const refused = await gauges
        .patch(at('a'), { type: 'json', body: [{ op: 'test', path: '/spec/size', value: 2 }] })
        .catch((thrown) => thrown)
      equal(refused.status, 422)
    },
  },
  {
    name: 'strategic merge patch: lists merge by key',
    async run({ gauges, gauge, at }) {
      await gauges.create(
        gauge('a', {
          parts: [
            { name: 'x', count: 1 },
            { name: 'y', count: 2 },
          ],
        }),
      )
      const next = await gauges.patch(at('a'), {
        type: 'strategic',
        body: { spec: { parts: [{ name: 'y', count: 5 }, { name: 'z' }, { name: 'x', $patch: 'delete' }] } },
      })
      deepEqual(
        [...(next.spec?.parts ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1)),
        [{ name: 'y', count: 5 }, { name: 'z' }],
      )
    },
  },
  {
    name: 'a patch that carries a stale version is 409 Conflict',
    async run({ gauges, gauge, at }) {
      const made = await gauges.create(gauge('a'))
      await gauges.update({ ...made, spec: { size: 2 } })
      const { resourceVersion } = made.metadata
      await refusal(gauges.patch(at('a'), { type: 'merge', body: { metadata: { resourceVersion }, spec: { size: 9 } } }), 'Conflict', 409)
    },
  },
  {
    name: 'a patched object is defaulted and validated',
    async run({ gauges, gauge, at }) {
      await gauges.create(gauge('a', { size: 2 }))
      equal((await gauges.patch(at('a'), { type: 'merge', body: { spec: { size: null } } })).spec?.size, 1)
      await refusal(gauges.patch(at('a'), { type: 'merge', body: { spec: { size: -4 } } }), 'Invalid', 422)
    },
  },
  {
    name: 'a patch cannot rename or move the object',
    async run({ gauges, gauge, at }) {
      await gauges.create(gauge('a'))
      const error = await gauges.patch(at('a'), { type: 'merge', body: { metadata: { name: 'b' } } }).catch((thrown) => thrown)
      ok(error.status === 400 || error.status === 422, `status ${error.status}`)
    },
  },
  {
    name: 'apply creates, owns, and removes what it no longer names',
    async run({ gauges, gauge, at }) {
      const made = await gauges.apply(gauge('a', { owner: 'me', tags: { x: '1' } }), { fieldManager: 'one' })
      const entry = made.metadata.managedFields?.find((candidate) => candidate.manager === 'one')
      deepEqual([entry?.operation, entry?.apiVersion, entry?.fieldsType], ['Apply', 'suite.continuo.dev/v1', 'FieldsV1'])
      await gauges.patch(at('a'), { type: 'merge', body: { spec: { tags: { y: '2' } } } })
      const next = await gauges.apply(gauge('a', { owner: 'me' }), { fieldManager: 'one' })
      deepEqual([next.spec?.owner, next.spec?.tags], ['me', { y: '2' }])
    },
  },
  {
    name: 'apply of the same again writes nothing',
    async run({ gauges, gauge }) {
      const made = await gauges.apply(gauge('a', { owner: 'me' }), { fieldManager: 'one' })
      const again = await gauges.apply(gauge('a', { owner: 'me' }), { fieldManager: 'one' })
      equal(again.metadata.resourceVersion, made.metadata.resourceVersion)
    },
  },
  {
    name: "apply of another's field is 409 with its cause, and force takes it over",
    async run({ gauges, gauge }) {
      await gauges.apply(gauge('a', { owner: 'me' }), { fieldManager: 'one' })
      const error = await refusal(gauges.apply(gauge('a', { owner: 'you' }), { fieldManager: 'two' }), 'Conflict', 409)
      deepEqual(
        error.details?.causes?.map((cause) => [cause.reason, cause.field]),
        [['FieldManagerConflict', '.spec.owner']],
      )
      match(error.details?.causes?.[0]?.message ?? '', /conflict with "one"/)
      const forced = await gauges.apply(gauge('a', { owner: 'you' }), { fieldManager: 'two', force: true })
      equal(forced.spec?.owner, 'you')
      const losing = await refusal(gauges.apply(gauge('a', { owner: 'me' }), { fieldManager: 'one' }), 'Conflict', 409)
      match(losing.details?.causes?.[0]?.message ?? '', /conflict with "two"/)
    },
  },
  {
    name: 'apply does not touch the status',
    async run({ gauges, gauge }) {
      const made = await gauges.create(gauge('a'))
      await gauges.updateStatus({ ...made, status: { phase: 'Up' } })
      const next = await gauges.apply({ ...gauge('a', { owner: 'me' }), status: { phase: 'Down' } }, { fieldManager: 'one', force: true })
      equal(next.status?.phase, 'Up')
    },
  },
]
