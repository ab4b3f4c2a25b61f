import { expect, it } from 'vitest'
import { startCluster, Widget, widget } from './cluster.ts'

it('creates, reads, updates, watches and deletes', async () => {
  const { client } = await startCluster()
  const widgets = client.for(Widget)
  const made = await widgets.create(widget('a', { owner: 'me' }))
  expect(made).toMatchObject({ metadata: { name: 'a', generation: 1 }, spec: { size: 1, owner: 'me' } })
  expect(made.metadata.managedFields?.[0]).toMatchObject({ operation: 'Update' })
  expect(await widgets.get('default/a')).toEqual(made)
  const controller = new AbortController()
  const seen: string[] = []
  const watch = await widgets.watch({ namespace: 'default', signal: controller.signal })
  const reading = (async () => {
    for await (const event of watch) {
      if (event.type !== 'BOOKMARK') seen.push(`${event.type} ${event.object.spec?.size}`)
      if (event.type === 'DELETED') return
    }
  })()
  const next = await widgets.update({ ...made, spec: { size: 3 } })
  expect(next.metadata.generation).toBe(2)
  await expect(widgets.update({ ...made, spec: { size: 4 } })).rejects.toMatchObject({ reason: 'Conflict' })
  await widgets.delete('default/a')
  await reading
  expect(seen).toEqual(['ADDED 1', 'MODIFIED 3', 'DELETED 3'])
  await expect(widgets.get('default/a')).rejects.toMatchObject({ reason: 'NotFound', message: 'widgets.demo.io "a" not found' })
  expect((await widgets.list()).items).toEqual([])
})
