import { expect, it } from 'vitest'
import { type AdmissionRule, matchesRule, type RuleSubject } from '../src/index.ts'

const subject = (more: Partial<RuleSubject> = {}): RuleSubject => ({
  operation: 'CREATE',
  resource: { group: 'apps', version: 'v1', resource: 'deployments' },
  subresource: '',
  namespace: 'default',
  name: 'web',
  ...more,
})
const rule = (more: AdmissionRule = {}): AdmissionRule => ({
  operations: ['CREATE'],
  apiGroups: ['apps'],
  apiVersions: ['v1'],
  resources: ['deployments'],
  scope: '*',
  ...more,
})
const scale = subject({ subresource: 'scale' })
const namespace = subject({ resource: { group: '', version: 'v1', resource: 'namespaces' }, namespace: 'a', name: 'a' })
const everything = { apiGroups: ['*'], apiVersions: ['*'] }

it.each<[string, AdmissionRule, RuleSubject, boolean]>([
  ['what it names', rule(), subject(), true],
  ['another operation', rule({ operations: ['UPDATE', 'DELETE'] }), subject(), false],
  ['any operation', rule({ operations: ['*'] }), subject({ operation: 'CONNECT' }), true],
  ['another group', rule({ apiGroups: [''] }), subject(), false],
  ['another version', rule({ apiVersions: ['v1beta1'] }), subject(), false],
  ['a subresource that it does not name', rule(), scale, false],
  ['all resources, without subresources', rule({ resources: ['*'] }), scale, false],
  ['all resources', rule({ resources: ['*'] }), subject(), true],
  ['everything', rule({ resources: ['*/*'] }), scale, true],
  ['a resource with its subresources', rule({ resources: ['deployments/*'] }), subject(), true],
  ['a subresource of a resource with all of them', rule({ resources: ['deployments/*'] }), scale, true],
  ['a subresource of whatever resource', rule({ resources: ['*/scale'] }), scale, true],
  ['another subresource of whatever resource', rule({ resources: ['*/status'] }), scale, false],
  ['the cluster, for what is in a namespace', rule({ scope: 'Cluster' }), subject(), false],
  ['namespaces, for what is in one', rule({ scope: 'Namespaced' }), subject(), true],
  ['the cluster, for a namespace', rule({ ...everything, resources: ['*'], scope: 'Cluster' }), namespace, true],
  ['namespaces, for a namespace', rule({ ...everything, resources: ['*'], scope: 'Namespaced' }), namespace, false],
  ['a name', rule({ resourceNames: ['web'] }), subject(), true],
  ['another name', rule({ resourceNames: ['other'] }), subject(), false],
  ['nothing', {}, subject(), false],
])('a rule about %s', (_what, held, against, expected) => {
  expect(matchesRule(held, against)).toBe(expected)
})
