import { definePlugin, Event, type ObjectClient } from '@continuo/core'
import { eventually, type SplitCluster, type StartApi, startSplitCluster } from '@continuo/testkit'
import { Node, Pod, SchedulerBind, SchedulerFilter, SchedulerPermit, SchedulerReserve } from '@continuo/workload'
import { afterEach, expect, test } from 'vitest'
import { scheduler } from '../../src/index.ts'
import { node, pod } from '../objects.ts'

/** Runs over whichever API it is given: local by default. */
export function schedulerSuite(startApi?: StartApi): void {
  let cluster: SplitCluster
  afterEach(() => cluster[Symbol.asyncDispose]())

  const gpuRule = definePlugin({
    name: 'gpu-rule',
    api: '^1',
    setup: (ctx) =>
      ctx.tap(SchedulerFilter, (attempt) => {
        if (attempt.pod.metadata.labels?.gpu === undefined) return
        attempt.filter('gpu-rule', ({ node }) => (node.metadata.labels?.gpu === 'yes' ? undefined : { reason: 'node(s) had no gpu' }))
      }),
  })

  async function start(
    nodes: readonly Node[],
    controllers: Parameters<typeof startSplitCluster>[0]['controllers'] = { scheduler },
  ): Promise<ObjectClient> {
    cluster = await startSplitCluster({ controllers }, startApi)
    for (const each of nodes) {
      await cluster.client.for(Node).create({ ...each, status: {} })
      await cluster.client.for(Node).updateStatus(each)
    }
    return cluster.client
  }

  const nodeOf = async (client: ObjectClient, name: string): Promise<string | undefined> =>
    (await client.for(Pod).get(`default/${name}`)).spec?.nodeName || undefined
  const bound = (client: ObjectClient, name: string): Promise<string> => eventually(() => nodeOf(client, name), `pod ${name} on a node`)
  const why = (client: ObjectClient, name: string) =>
    eventually(async () => {
      const { status } = await client.for(Pod).get(`default/${name}`)
      return status?.conditions?.find((each) => each.type === 'PodScheduled' && each.status === 'False')
    }, `reason of pod ${name}`)
  const eventsAbout = async (client: ObjectClient, name: string): Promise<string[]> =>
    (await client.for(Event).list({ namespace: 'default' })).items
      .map((each) => each as unknown as { involvedObject: { name: string }; reason: string; message: string })
      .filter((each) => each.involvedObject.name === name)
      .map((each) => `${each.reason}: ${each.message}`)

  test('binds pods to the nodes that have room and says so in an event', async () => {
    const client = await start([node('a', { cpu: '1' }), node('b', { cpu: '1' })])
    await client.for(Pod).create(pod('x', { cpu: '800m' }))
    await client.for(Pod).create(pod('y', { cpu: '800m' }))
    const where = [await bound(client, 'x'), await bound(client, 'y')]
    expect(where.sort()).toEqual(['a', 'b'])
    await eventually(
      async () => (await eventsAbout(client, 'x')).some((text) => /^Scheduled: Successfully assigned default\/x to [ab]$/.test(text)),
      'event Scheduled',
    )
    const { status } = await client.for(Pod).get('default/x')
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'PodScheduled', status: 'True' }))
  })

  test('explains a pod that fits nowhere in its condition and an event, and places it when room comes', async () => {
    const client = await start([node('a', { cpu: '1' }), node('b', { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] })])
    await client.for(Pod).create(pod('big', { cpu: '2' }))
    const message = '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {k: v}.'
    expect(await why(client, 'big')).toMatchObject({ reason: 'Unschedulable', message })
    await eventually(async () => (await eventsAbout(client, 'big')).includes(`FailedScheduling: ${message}`), 'event FailedScheduling')
    await client.for(Node).create(node('c', { cpu: '4' }))
    await client.for(Node).updateStatus(node('c', { cpu: '4' }))
    expect(await bound(client, 'big')).toBe('c')
  })

  test('says that there are no nodes', async () => {
    const client = await start([])
    await client.for(Pod).create(pod('x'))
    expect(await why(client, 'x')).toMatchObject({ message: 'no nodes available to schedule pods' })
  })

  test('never gives a node more than it has, however many pods come at once', async () => {
    const client = await start([node('a', { cpu: '1' }), node('b', { cpu: '1' })])
    await Promise.all(Array.from({ length: 15 }, (_, i) => client.for(Pod).create(pod(`p${i}`, { cpu: '200m' }))))
    const settled = await eventually(async () => {
      const { items } = await client.for(Pod).list({ namespace: 'default' })
      const waiting = items.filter((each) => each.status?.conditions?.some((condition) => condition.reason === 'Unschedulable'))
      return items.filter((each) => each.spec?.nodeName).length === 10 && waiting.length === 5 && items
    }, 'ten placed, five waiting')
    const counts = Map.groupBy(settled, (each) => each.spec?.nodeName || 'none')
    expect([counts.get('a')?.length, counts.get('b')?.length]).toEqual([5, 5])
  })

  test('places a waiting pod when another one goes', async () => {
    const client = await start([node('a', { cpu: '1' })])
    await client.for(Pod).create(pod('first', { cpu: '1' }))
    await bound(client, 'first')
    await client.for(Pod).create(pod('second', { cpu: '1' }))
    await why(client, 'second')
    await client.for(Pod).delete('default/first', { gracePeriodSeconds: 0 })
    expect(await bound(client, 'second')).toBe('a')
  })

  test('leaves pods of other schedulers, gated pods and placed pods alone', async () => {
    const client = await start([node('a')])
    await client.for(Pod).create(pod('foreign', { schedulerName: 'other' }))
    await client.for(Pod).create(pod('gated', { schedulingGates: [{ name: 'example.com/wait' }] }))
    await client.for(Pod).create(pod('mine'))
    await bound(client, 'mine')
    expect([await nodeOf(client, 'foreign'), await nodeOf(client, 'gated')]).toEqual([undefined, undefined])
    await client.for(Pod).patch('default/gated', { type: 'json', body: [{ op: 'remove', path: '/spec/schedulingGates' }] })
    expect(await bound(client, 'gated')).toBe('a')
  })

  test('serves further scheduler names with their own scores', async () => {
    const config = { profiles: { packer: { scores: { leastAllocated: 0, balanced: 0 } } } }
    const client = await start([node('a')], { scheduler: { slot: 'scheduler', plugin: scheduler, config } })
    await client.for(Pod).create(pod('x', { schedulerName: 'packer' }))
    expect(await bound(client, 'x')).toBe('a')
  })

  test("asks other plugins' filters and names their reasons", async () => {
    const client = await start([node('a'), node('b')], { scheduler, gpu: gpuRule })
    await client.for(Pod).create(pod('x', { labels: { gpu: 'wanted' } }))
    expect(await why(client, 'x')).toMatchObject({ message: '0/2 nodes are available: 2 node(s) had no gpu.' })
    await client.for(Node).patch({ namespace: '', name: 'b' }, { type: 'merge', body: { metadata: { labels: { gpu: 'yes' } } } })
    expect(await bound(client, 'x')).toBe('b')
  })

  test('reserves, waits for permission, and releases when the binding is refused', async () => {
    const steps: string[] = []
    let refuse = true
    const permit = definePlugin({
      name: 'permit',
      api: '^1',
      setup(ctx) {
        ctx.tap(SchedulerReserve, (attempt) => {
          steps.push(`reserve ${attempt.nodeName}`)
          attempt.release(() => void steps.push('release'))
        })
        ctx.tap(SchedulerPermit, (attempt) => attempt.wait(Promise.resolve().then(() => void steps.push('permit'))))
        ctx.tap(SchedulerBind, () => {
          if (refuse) throw new TypeError('not now')
        })
      },
    })
    const client = await start([node('a')], { scheduler, permit })
    await client.for(Pod).create(pod('x'))
    await eventually(async () => steps.includes('release'), 'the reservation is released')
    expect(steps.slice(0, 3)).toEqual(['reserve a', 'permit', 'release'])
    expect(await why(client, 'x')).toMatchObject({ reason: 'SchedulerError', message: expect.stringContaining('not now') })
    refuse = false
    expect(await bound(client, 'x')).toBe('a')
  })
}
