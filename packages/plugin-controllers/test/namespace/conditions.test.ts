import { expect, test } from 'vitest'
import { deletionConditions, isEmpty } from '../../src/namespace/conditions.ts'
import { contentOrder, unexplained } from '../../src/namespace/empty-namespace.ts'
import { at, ms } from '../objects.ts'

const nothing = { failures: [], remaining: new Map(), finalizers: new Map() }

test('says what remains, what holds it, and what failed', () => {
  const report = {
    failures: [{ resource: 'widgets.demo.io', message: 'no' }],
    remaining: new Map([['pods.', 2]]),
    finalizers: new Map([['example.com/hold', 1]]),
  }
  expect(isEmpty(report)).toBe(false)
  expect(deletionConditions([], report, ms(1)).map(({ type, status, message }) => `${type}=${status}: ${message}`)).toEqual([
    'NamespaceDeletionDiscoveryFailure=False: All resources successfully discovered',
    'NamespaceDeletionGroupVersionParsingFailure=False: All legacy kube types successfully parsed',
    'NamespaceDeletionContentFailure=True: Failed to delete all resource types, 1 remaining: no',
    'NamespaceContentRemaining=True: Some resources are remaining: pods. has 2 resource instances',
    'NamespaceFinalizersRemaining=True: Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
  ])
})

test('names what is left without a reason, and every failure', () => {
  const widgets = { group: 'demo.io', version: 'v1', resource: 'widgets', kind: 'Widget', namespaced: true }
  const left = (finalizers: string[]) => [
    { apiVersion: 'demo.io/v1', kind: 'Widget', metadata: { name: 'w', namespace: 'team', finalizers } },
  ]
  const message = unexplained(widgets, 'team', left([]))
  expect(message).toBe('unexpected items still remain in namespace: team for gvr: demo.io/v1, Resource=widgets')
  expect(unexplained(widgets, 'team', left(['example.com/hold']))).toBeUndefined()
  expect(unexplained({ ...widgets, group: '', resource: 'pods' }, 'team', left([]))).toBeUndefined()
  const failures = ['a', 'b'].map((text) => ({ resource: text, message: text }))
  const failed = deletionConditions([], { ...nothing, failures }, ms(1)).find(({ type }) => type === 'NamespaceDeletionContentFailure')
  expect(failed?.message).toBe('Failed to delete all resource types, 2 remaining: [a, b]')
})

test('keeps the time of a transition while the status stays', () => {
  const first = deletionConditions([], nothing, ms(1))
  expect(isEmpty(nothing)).toBe(true)
  expect(deletionConditions(first, nothing, ms(2)).every(({ lastTransitionTime }) => lastTransitionTime === at(1))).toBe(true)
})

test('empties each namespaced resource once, pods first', () => {
  const kind = (group: string, version: string, resource: string, namespaced = true) => ({
    group,
    version,
    resource,
    kind: resource,
    namespaced,
  })
  const { first, rest } = contentOrder([
    kind('', 'v1', 'configmaps'),
    kind('', 'v1', 'events'),
    kind('events.k8s.io', 'v1', 'events'),
    kind('', 'v1', 'pods'),
    kind('demo.io', 'v2', 'widgets'),
    kind('demo.io', 'v1', 'widgets'),
    kind('', 'v1', 'nodes', false),
  ])
  expect(first.map(({ resource }) => resource)).toEqual(['pods'])
  expect(rest.map(({ resource, version }) => `${resource}/${version}`)).toEqual(['configmaps/v1', 'events/v1', 'widgets/v2'])
})
