import { describe, expect, it } from 'vitest'
import {
  dns1035LabelFaults,
  dnsLabelFaults,
  dnsSubdomainFaults,
  pathSegmentFaults,
  validateMetadata,
  validateMetadataUpdate,
} from '../../src/index.ts'

describe('name rules', () => {
  it.each([
    [dnsLabelFaults, ['a', 'a-1', '1a'], ['A', 'a.b', '-a', 'a-', '', 'a'.repeat(64)]],
    [dnsSubdomainFaults, ['a.b', 'a-1.c', '1'], ['a..b', 'a_b', '.a', '', 'a'.repeat(254)]],
    [dns1035LabelFaults, ['a', 'a-1'], ['1a', 'a.b', '']],
    [pathSegmentFaults, ['A_b:c', '...'], ['.', '..', 'a/b', 'a%b', 'a\0', '\ud800']],
  ])('%o', (rule, good, bad) => {
    for (const name of good) expect(rule(name), name).toEqual([])
    for (const name of bad) expect(rule(name), name).not.toEqual([])
  })

  it('let a prefix end with a dash', () => {
    expect(dnsSubdomainFaults('web-', true)).toEqual([])
    expect(dnsSubdomainFaults('web-', false)).not.toEqual([])
  })
})

describe('metadata', () => {
  const fields = (meta: object, namespaced = true) =>
    validateMetadata({ name: 'a', namespace: 'b', ...meta }, namespaced).map((error) => error.field)

  it('accepts what is right', () => {
    expect(fields({ labels: { 'a.b/c': 'x' }, annotations: { A: 'any \n text' }, finalizers: ['a.b/c'] })).toEqual([])
  })

  it.each([
    [{ name: 'A' }, 'metadata.name'],
    [{ name: '' }, 'metadata.name'],
    [{ namespace: '' }, 'metadata.namespace'],
    [{ labels: { 'a b': '' } }, 'metadata.labels'],
    [{ labels: { a: 'x y' } }, 'metadata.labels'],
    [{ annotations: { 'a b': '' } }, 'metadata.annotations'],
    [{ annotations: { a: 'x'.repeat(300_000) } }, 'metadata.annotations'],
    [{ ownerReferences: [{ apiVersion: 'v1', kind: 'A', name: 'a', uid: '' }] }, 'metadata.ownerReferences[0].uid'],
    [
      { ownerReferences: ['a', 'b'].map((name) => ({ apiVersion: 'v1', kind: 'A', name, uid: name, controller: true })) },
      'metadata.ownerReferences',
    ],
    [{ finalizers: ['a b'] }, 'metadata.finalizers'],
    [{ finalizers: ['orphan', 'foregroundDeletion'] }, 'metadata.finalizers'],
  ])('refuses %j', (meta, field) => {
    expect(fields(meta)).toContain(field)
  })

  it('keeps identity, and takes no new finalizer while deleting', () => {
    const old = { name: 'a', namespace: 'b', uid: 'u', finalizers: ['x/y'], deletionTimestamp: 't' }
    expect(validateMetadataUpdate({ ...old, finalizers: [] }, old)).toEqual([])
    expect(validateMetadataUpdate({ ...old, uid: 'v', finalizers: ['x/y', 'x/z'] }, old).map((error) => error.field)).toEqual([
      'metadata.uid',
      'metadata.finalizers',
    ])
  })
})
