import type { AuditedRequest } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { compilePolicy } from '../src/policy/decide-audit.ts'
import { auditPolicy } from '../src/policy/policy.ts'

const base: AuditedRequest = {
  user: { username: 'ann', groups: ['dev'] },
  verb: 'get',
  uri: '/x',
  headers: {},
  remoteAddress: '',
  receivedAt: 0,
  path: { isResource: true, group: '', version: 'v1', resource: 'pods', subresource: '', namespace: 'a', name: 'web' },
}
const path = (more: object): AuditedRequest => ({ ...base, path: { ...base.path, ...more } as AuditedRequest['path'] })
const plain = (...segments: string[]): AuditedRequest => ({ ...base, path: { isResource: false, segments } })
const levelOf = (rule: object, request: AuditedRequest): string =>
  compilePolicy(auditPolicy.parse({ rules: [{ level: 'Metadata', ...rule }] }))(request).level

describe('audit policy', () => {
  it('takes the first rule that fits, and tells nothing without one', () => {
    const decide = compilePolicy(
      auditPolicy.parse({
        rules: [
          { level: 'None', users: ['ann'] },
          { level: 'Request', verbs: ['get'] },
        ],
      }),
    )
    expect(decide(base).level).toBe('None')
    expect(decide({ ...base, user: { username: 'bob' } }).level).toBe('Request')
    expect(decide({ ...base, user: undefined, verb: 'list' }).level).toBe('None')
  })

  it.each([
    ['pods', '', true],
    ['pods', 'log', false],
    ['pods/log', 'log', true],
    ['pods/*', 'log', true],
    ['pods/*', '', false],
    ['*/log', 'log', true],
    ['*', 'log', true],
  ])('matches the resource %s with the subresource %j: %s', (resource, subresource, expected) => {
    expect(levelOf({ resources: [{ group: '', resources: [resource] }] }, path({ subresource })) === 'Metadata').toBe(expected)
  })

  it('matches names, groups, namespaces and users', () => {
    expect(levelOf({ resources: [{ resources: ['pods'], resourceNames: ['other'] }] }, base)).toBe('None')
    expect(levelOf({ resources: [{ group: 'apps' }] }, base)).toBe('None')
    expect(levelOf({ namespaces: ['a'] }, base)).toBe('Metadata')
    expect(levelOf({ namespaces: [''] }, base)).toBe('None')
    expect(levelOf({ userGroups: ['dev'] }, base)).toBe('Metadata')
    expect(levelOf({ users: ['bob'] }, base)).toBe('None')
  })

  it('keeps rules of URLs and rules of resources apart', () => {
    expect(levelOf({ nonResourceURLs: ['/healthz*'] }, plain('healthz', 'etcd'))).toBe('Metadata')
    expect(levelOf({ nonResourceURLs: ['/healthz*'] }, base)).toBe('None')
    expect(levelOf({ resources: [{ group: '' }] }, plain('version'))).toBe('None')
    expect(auditPolicy.safeParse({ rules: [{ level: 'None', nonResourceURLs: ['/a'], namespaces: ['b'] }] }).success).toBe(false)
    expect(auditPolicy.safeParse({ rules: [{ level: 'None', nonResourceURLs: ['/a*b'] }] }).success).toBe(false)
  })
})
