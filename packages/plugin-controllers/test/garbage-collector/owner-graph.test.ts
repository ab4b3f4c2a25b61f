import type { KubeObject } from '@continuo/core'
import { expect, test } from 'vitest'
import { OwnerGraph } from '../../src/garbage-collector/owner-graph.ts'
import { judge, type OwnerState } from '../../src/garbage-collector/verdict.ts'

type Owner = string | { uid: string; block: boolean }
const object = (uid: string, owners: Owner[] = [], more: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: uid,
    namespace: 'default',
    uid,
    ownerReferences: owners.map((owner) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: typeof owner === 'string' ? owner : owner.uid,
      uid: typeof owner === 'string' ? owner : owner.uid,
      blockOwnerDeletion: typeof owner !== 'string' && owner.block,
    })),
    ...more,
  },
})
const going = (finalizer: string) => ({ deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [finalizer] })
const checks = (work: readonly { type: string; uid: string }[]) => work.map(({ type, uid }) => `${type} ${uid}`)

test('asks to look up an owner that was never seen, once', () => {
  const graph = new OwnerGraph()
  expect(checks(graph.observe(object('child', ['owner'])))).toEqual(['check owner'])
  expect(checks(graph.observe(object('child', ['owner'])))).toEqual([])
  expect(checks(graph.observe(object('owner')))).toEqual([])
  expect(graph.get('owner')?.observed).toBe(true)
})

test('looks at the dependents of what is gone', () => {
  const graph = new OwnerGraph()
  for (const each of [object('owner'), object('a', ['owner']), object('b', ['owner', 'a'])]) graph.observe(each)
  expect(checks(graph.forget('owner'))).toEqual(['check a', 'check b'])
})

test('a foreground deletion looks at the dependents, and at the owner as each of them goes', () => {
  const graph = new OwnerGraph()
  graph.observe(object('owner'))
  graph.observe(object('a', [{ uid: 'owner', block: true }]))
  graph.observe(object('b', ['owner']))
  expect(checks(graph.observe(object('owner', [], going('foregroundDeletion'))))).toEqual(['check a', 'check b', 'check owner'])
  expect(graph.blockersOf('owner').map(({ uid }) => uid)).toEqual(['a'])
  expect(checks(graph.forget('a'))).toEqual(['check owner'])
})

test('one that owns itself does not hold itself back', () => {
  const graph = new OwnerGraph()
  const self: Owner[] = [{ uid: 'self', block: true }]
  graph.observe(object('self', self))
  expect(checks(graph.observe(object('self', self, going('foregroundDeletion'))))).toContain('check self')
  expect(graph.blockersOf('self')).toEqual([])
})

test('looks at a foreground owner when a dependent lets go of it or blocks it no longer', () => {
  const graph = new OwnerGraph()
  graph.observe(object('owner', [], going('foregroundDeletion')))
  graph.observe(object('a', [{ uid: 'owner', block: true }]))
  expect(checks(graph.observe(object('a', [{ uid: 'owner', block: false }])))).toEqual(['check owner'])
  expect(checks(graph.observe(object('a')))).toEqual(['check owner'])
})

test('an orphaning deletion is noticed once', () => {
  const graph = new OwnerGraph()
  graph.observe(object('owner'))
  expect(checks(graph.observe(object('owner', [], going('orphan'))))).toEqual(['orphan owner'])
  expect(checks(graph.observe(object('owner', [], going('orphan'))))).toEqual([])
})

test('looks at an object whose owner lives in another namespace', () => {
  const graph = new OwnerGraph()
  graph.observe(object('owner'))
  expect(checks(graph.observe(object('child', ['owner'], { namespace: 'elsewhere' })))).toEqual(['check child'])
})

test('remembers nothing of what is gone and not owned', () => {
  const graph = new OwnerGraph()
  graph.observe(object('child', ['never-seen']))
  graph.forget('child')
  expect(graph.size).toBe(0)
})

test('begins anew with all that may be undone', () => {
  const graph = new OwnerGraph()
  for (const each of [
    object('owner'),
    object('fine', ['owner']),
    object('lost', ['gone']),
    object('waits', [], going('foregroundDeletion')),
    object('lets go', [], going('orphan')),
  ])
    graph.observe(each)
  expect(checks(graph.unsettled()).sort()).toEqual(['check gone', 'check lost', 'check waits', 'orphan lets go'])
})

const verdict = (states: OwnerState[], hasDependents = false, more = {}) => {
  const uids = states.map((_, i) => `o${i}`)
  return judge(object('x', uids, more), new Map(uids.map((uid, i) => [uid, states[i]!])), hasDependents)
}

test.each<[OwnerState[], boolean, object]>([
  [['solid'], false, { type: 'keep' }],
  [['solid', 'absent'], false, { type: 'trim', uids: new Set(['o1']) }],
  [['solid', 'waiting'], true, { type: 'trim', uids: new Set(['o1']) }],
  [['absent'], false, { type: 'delete', policy: 'Background', unblock: false }],
  [['absent', 'absent'], true, { type: 'delete', policy: 'Background', unblock: false }],
  [['waiting'], true, { type: 'delete', policy: 'Foreground', unblock: true }],
  [['waiting'], false, { type: 'delete', policy: 'Background', unblock: false }],
  [['absent', 'unresolvable'], false, { type: 'keep' }],
])('owners that are %j with dependents %s lead to %j', (states, hasDependents, expected) => {
  expect(verdict(states, hasDependents)).toEqual(expected)
})

test('an object that asks for it is deleted in its own way', () => {
  expect(verdict(['absent'], true, { finalizers: ['orphan'] })).toMatchObject({ policy: 'Orphan' })
  expect(verdict(['absent'], true, { finalizers: ['foregroundDeletion'] })).toMatchObject({ policy: 'Foreground' })
})
