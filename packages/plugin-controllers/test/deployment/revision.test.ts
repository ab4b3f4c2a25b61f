import { expect, test } from 'vitest'
import { newReplicaSet } from '../../src/deployment/new-replica-set.ts'
import { annotations, nextRevision, obsoleteSets, revisedAnnotations } from '../../src/deployment/revision.ts'
import { sameTemplate, splitSets, templateHash } from '../../src/deployment/template.ts'
import { deploymentOf, setOf } from '../objects.ts'

const revision = (number: number, more: Record<string, string> = {}) => ({
  annotations: { [annotations.revision]: String(number), ...more },
})

test('the hash depends on the template alone, not on the order of its keys', () => {
  const template = deploymentOf(1).spec!.template
  const reordered = { spec: template.spec!, metadata: template.metadata! }
  expect(templateHash(reordered)).toBe(templateHash(template))
  expect(templateHash(deploymentOf(1, {}, 'v2').spec!.template)).not.toBe(templateHash(template))
  expect(templateHash(template, 1)).not.toBe(templateHash(template))
  expect(templateHash(template)).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{5,10}$/)
})

test('templates are the same but for the hash label', () => {
  expect(sameTemplate(deploymentOf(1).spec!.template, setOf('v1', 1).spec!.template)).toBe(true)
  expect(sameTemplate(deploymentOf(1, {}, 'v2').spec!.template, setOf('v1', 1).spec!.template)).toBe(false)
})

test('of two sets with the template, the older is the current one', () => {
  const { current, old } = splitSets(deploymentOf(1), [
    setOf('late', 1, { image: 'v1', created: 9 }),
    setOf('v0', 1),
    setOf('early', 1, { image: 'v1', created: 3 }),
  ])
  expect(current?.metadata.name).toBe('early')
  expect(old.map((set) => set.metadata.name)).toEqual(['v0', 'late'])
})

test('makes a set that selects and labels its pods by the hash, and fits under the surge limit', () => {
  const deployment = deploymentOf(4, { minReadySeconds: 7 }, 'v2')
  deployment.metadata.annotations = { note: 'kept', 'kubectl.kubernetes.io/last-applied-configuration': '{}' }
  const set = newReplicaSet(deployment, [setOf('v1', 4, revision(3))])
  const hash = set.metadata.labels?.['pod-template-hash']
  expect(set).toMatchObject({
    metadata: {
      name: `web-${hash}`,
      annotations: { note: 'kept', [annotations.revision]: '4', [annotations.desired]: '4', [annotations.maximum]: '5' },
      ownerReferences: [{ kind: 'Deployment', uid: 'd', controller: true, blockOwnerDeletion: true }],
    },
    spec: {
      replicas: 1,
      minReadySeconds: 7,
      selector: { matchLabels: { app: 'web', 'pod-template-hash': hash } },
      template: { metadata: { labels: { app: 'web', 'pod-template-hash': hash } } },
    },
  })
  expect(set.metadata.annotations).not.toHaveProperty('kubectl.kubernetes.io/last-applied-configuration')
})

test('a set that comes back gets a new revision and notes the former one', () => {
  const set = setOf('v1', 0, revision(1, { [annotations.history]: '0' }))
  expect(revisedAnnotations(deploymentOf(1), set, nextRevision([setOf('v2', 1, revision(2))]))).toMatchObject({
    [annotations.revision]: '3',
    [annotations.history]: '0,1',
  })
})

test('changes nothing on a set that has the highest revision', () => {
  expect(revisedAnnotations(deploymentOf(1), setOf('v2', 1, revision(2)), nextRevision([setOf('v1', 0, revision(1))]))).toBeUndefined()
})

test('cleans up the oldest revisions beyond the limit that hold no pods', () => {
  const old = [3, 1, 2, 4].map((number) => setOf(`v${number}`, 0, revision(number)))
  const names = (limit: number) => obsoleteSets(deploymentOf(1, { revisionHistoryLimit: limit }), old).map((set) => set.metadata.name)
  expect(names(2)).toEqual(['v1', 'v2'])
  expect(names(10)).toEqual([])
  old[1] = setOf('v1', 1, revision(1))
  expect(names(2)).toEqual(['v2'])
})
