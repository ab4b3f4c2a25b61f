import { PriorityClass } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { priority } from '../../src/index.ts'
import { type ControlPlane, createPod, startControlPlane } from '../control-plane.ts'

const createClass = ({ client }: ControlPlane, name: string, value: number, more: Partial<PriorityClass> = {}) =>
  client.for(PriorityClass).create({ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value, ...more })

describe('priority', () => {
  it('is that of the class, of the default class, or zero', async () => {
    const plane = await startControlPlane({ priority })
    expect((await createPod(plane, 'none')).spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' })
    await createClass(plane, 'high', 1000, { preemptionPolicy: 'Never' })
    await createClass(plane, 'usual', 10, { globalDefault: true })
    expect((await createPod(plane, 'default')).spec).toMatchObject({ priority: 10, priorityClassName: 'usual' })
    expect((await createPod(plane, 'high', { priorityClassName: 'high' })).spec).toMatchObject({
      priority: 1000,
      preemptionPolicy: 'Never',
    })
    expect((await createPod(plane, 'system', { priorityClassName: 'system-node-critical' })).spec?.priority).toBe(2_000_001_000)
  })

  it('is nothing that a pod says by itself', async () => {
    const plane = await startControlPlane({ priority })
    await expect(createPod(plane, 'web', { priorityClassName: 'nope' })).rejects.toThrow(
      'pods "web" is forbidden: no PriorityClass with name nope was found',
    )
    await expect(createPod(plane, 'web', { priority: 7 })).rejects.toThrow(
      'the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    )
  })
})

describe('classes', () => {
  it('of the system are there from the start and stay', async () => {
    const { client } = await startControlPlane({ priority })
    const { items } = await client.for(PriorityClass).list()
    expect(items.map(({ metadata, value }) => [metadata.name, value])).toEqual([
      ['system-cluster-critical', 2_000_000_000],
      ['system-node-critical', 2_000_001_000],
    ])
    await expect(client.for(PriorityClass).delete({ namespace: '', name: 'system-node-critical' })).rejects.toMatchObject({
      reason: 'Forbidden',
    })
  })

  it('have one default among them', async () => {
    const plane = await startControlPlane({ priority })
    const first = await createClass(plane, 'first', 1, { globalDefault: true })
    await expect(createClass(plane, 'second', 2, { globalDefault: true })).rejects.toThrow(
      'priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass first is already marked as default. Only one default can exist',
    )
    await plane.client.for(PriorityClass).update({ ...first, description: 'still the default' })
  })
})
