import { expect, test } from 'vitest'
import { adoptionPatch, claims, releasePatch } from '../../src/adoption/claim.ts'
import { podOf, setOf } from '../objects.ts'

const set = setOf('rs', 1)
const web = (labels: Readonly<Record<string, string>> | undefined) => labels?.app === 'web'
const names = (pods: readonly { metadata: { name: string } }[]) => pods.map((pod) => pod.metadata.name)

test('keeps its own, adopts orphans that match, releases its own that do not', () => {
  const pods = [
    podOf('own', { owner: 'rs' }),
    podOf('orphan'),
    podOf('strayed', { owner: 'rs', labels: { app: 'db' } }),
    podOf('foreign', { owner: 'other' }),
    podOf('stranger', { labels: {} }),
  ]
  const result = claims(set, pods, web)
  expect([names(result.owned), names(result.adopt), names(result.release)]).toEqual([['own'], ['orphan'], ['strayed']])
})

test('neither takes what is going nor takes anything when it is going itself', () => {
  expect(claims(set, [podOf('orphan', { deleted: true })], web).adopt).toEqual([])
  const going = { ...set, metadata: { ...set.metadata, deletionTimestamp: 'now' } }
  const result = claims(going, [podOf('orphan'), podOf('strayed', { owner: 'rs', labels: {} })], web)
  expect([result.adopt, result.release]).toEqual([[], []])
})

test('patches only the object that was seen', () => {
  const pod = podOf('orphan')
  pod.metadata.resourceVersion = '7'
  expect(adoptionPatch(set, pod)).toMatchObject({
    metadata: { uid: 'orphan', resourceVersion: '7', ownerReferences: [{ uid: 'rs', controller: true }] },
  })
  expect(releasePatch(set, podOf('own', { owner: 'rs' }))).toMatchObject({ metadata: { ownerReferences: [] } })
})
