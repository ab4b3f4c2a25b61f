import { type AnyPlugin, createHost, memoryStore, ObjectClientCap, systemClock } from '@continuo/core'
import { FlowSchema, PriorityLevelConfiguration, workloadKinds } from '@continuo/workload'
import { expect, it, onTestFinished } from 'vitest'
import { flowControl } from '../src/index.ts'
import { danglingCondition } from '../src/objects/dangling.ts'
import { maintainObjects, mended } from '../src/objects/maintain.ts'
import { autoupdate, mandatoryLevels, suggestedFlowSchemas } from '../src/objects/suggested.ts'

async function startHost() {
  const plugins = { store: memoryStore as AnyPlugin, kinds: workloadKinds as AnyPlugin, flow: flowControl as AnyPlugin }
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    plugins: Object.entries(plugins).map(([slot, plugin]) => ({ slot, plugin })),
  })
  await host.start()
  onTestFinished(() => host.stop())
  return host.use(ObjectClientCap)
}

async function eventually(check: () => Promise<void>): Promise<void> {
  for (let left = 200; ; left--)
    try {
      return await check()
    } catch (error) {
      if (left === 0) throw error
      await systemClock.sleep(10)
    }
}

it('makes every mandatory and suggested object, and changes nothing when it looks again', async () => {
  const client = await startHost()
  const read = async () => [...(await client.for(FlowSchema).list()).items, ...(await client.for(PriorityLevelConfiguration).list()).items]
  const objects = await read()
  expect(objects).toHaveLength(13 + 8)
  const specs = objects.map(({ metadata }) => [metadata.name, metadata.generation])
  await maintainObjects(client)
  expect((await read()).map(({ metadata }) => [metadata.name, metadata.generation])).toEqual(specs)
})

it('mends a suggested spec unless its annotation says false, and always brings a mandatory object back', async () => {
  const client = await startHost()
  const schemas = client.for(FlowSchema)
  const change = (name: string, value: string) =>
    schemas.patch(
      { namespace: '', name },
      { type: 'merge', body: { metadata: { annotations: { [autoupdate]: value } }, spec: { matchingPrecedence: 77 } } },
    )
  await change('global-default', 'true')
  await change('service-accounts', 'false')
  await schemas.delete({ namespace: '', name: 'catch-all' })
  await maintainObjects(client)
  const precedence = async (name: string) => (await schemas.get({ namespace: '', name })).spec?.matchingPrecedence
  expect(await precedence('global-default')).toBe(9_900)
  expect(await precedence('service-accounts')).toBe(77)
  expect(await precedence('catch-all')).toBe(10_000)
})

it('tells of a schema whose level is not there', async () => {
  const client = await startHost()
  const schemas = client.for(FlowSchema)
  const spec = { priorityLevelConfiguration: { name: 'absent' }, rules: [] }
  await schemas.create({ apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'FlowSchema', metadata: { name: 'mine' }, spec })
  const statusOf = async (name: string) =>
    (await schemas.get({ namespace: '', name })).status?.conditions?.find(({ type }) => type === 'Dangling')?.status
  await eventually(async () => expect(await statusOf('mine')).toBe('True'))
  await eventually(async () => expect(await statusOf('global-default')).toBe('False'))
})

it('leaves the shares of the exempt level to the administrator who has taken them', () => {
  const exempt = mandatoryLevels.find(({ metadata }) => metadata.name === 'exempt') as PriorityLevelConfiguration
  const changed = {
    ...exempt,
    metadata: { ...exempt.metadata, annotations: { [autoupdate]: 'false' } },
    spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 9 } },
  }
  expect(mended(changed, exempt, true)).toBeUndefined()
})

it('knows the words of the condition', () => {
  const schema = suggestedFlowSchemas[0] as FlowSchema
  expect(danglingCondition(schema, false, 0)).toMatchObject({ status: 'True', reason: 'NotFound' })
  const found = danglingCondition(schema, true, 0)
  expect(found?.message).toBe('This FlowSchema references the PriorityLevelConfiguration object named "exempt" and it exists')
  expect(danglingCondition({ ...schema, status: { conditions: [found as object] } } as FlowSchema, true, 9)).toBeUndefined()
})
