import { expect, it } from 'vitest'
import type { VersionDefinition } from '../../src/index.ts'
import { startCluster, Widget, widgetResource } from './cluster.ts'

it('answers a create in another version than the stored one, also to who asks for its bytes', async () => {
  const v1 = widgetResource.versions[0] as VersionDefinition
  const { service } = await startCluster({
    kinds: [
      {
        ...widgetResource,
        versions: [v1, { ...v1, name: 'v2' }],
        convert: async (objects, apiVersion) => objects.map((object) => ({ ...object, apiVersion })),
      },
    ],
  })
  const { view } = await service.create(
    { ...Widget, version: 'v2', namespace: 'default', name: '' },
    { apiVersion: 'demo.io/v2', kind: 'Widget', metadata: { name: 'a' }, spec: { size: 3 } },
    {},
    { user: { username: 'test' }, trusted: true },
  )
  const bytes = view.encoded('json', (one) => one.json)
  expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({ apiVersion: 'demo.io/v2', spec: { size: 3 } })
  expect(view.object.metadata.name).toBe('a')
})
