import type { AccessRule } from '@continuo/workload'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { at, on } from '../../src/defaults/notation.ts'
import { allows, readyRules } from '../../src/rules/match-rules.ts'
import { asks, asksPath } from '../questions.ts'

describe('rules for resources', () => {
  it.each([
    ['a verb, a group and a resource', on('get', 'core', 'pods'), 'get core pods shop/web', true],
    ['no other verb', on('get', 'core', 'pods'), 'delete core pods shop/web', false],
    ['no other group', on('get', 'core', 'pods'), 'get apps pods shop/web', false],
    ['no other resource', on('get', 'core', 'pods'), 'get core secrets shop/web', false],
    ['no subresource of the resource', on('get', 'core', 'pods'), 'get core pods/log shop/web', false],
    ['a subresource by its name', on('get', 'core', 'pods/log'), 'get core pods/log shop/web', true],
    ['not the resource of a subresource', on('get', 'core', 'pods/log'), 'get core pods shop/web', false],
    ['a subresource of every resource', on('get', 'apps', '*/scale'), 'get apps deployments/scale shop/web', true],
    ['no other subresource of every resource', on('get', 'apps', '*/scale'), 'get apps deployments/status shop/web', false],
    ['every resource and subresource', on('get', 'core', '*'), 'get core pods/log shop/web', true],
    ['every group', on('get', '*', 'pods'), 'get example.com pods shop/web', true],
    ['every verb', on('*', 'core', 'pods'), 'frobnicate core pods shop/web', true],
    ['an object by its name', on('get', 'core', 'secrets', 'key'), 'get core secrets shop/key', true],
    ['no other object', on('get', 'core', 'secrets', 'key'), 'get core secrets shop/other', false],
    ['no list where names are given', on('list', 'core', 'secrets', 'key'), 'list core secrets shop', false],
    ['no creation where names are given', on('create', 'core', 'secrets', 'key'), 'create core secrets shop', false],
    ['no wildcard in names', on('get', 'core', 'secrets', '*'), 'get core secrets shop/key', false],
    ['"*" is asked for only where it is given', on('get', 'core', 'pods'), '* core pods shop', false],
    ['no path', at('get', '*'), 'get core pods shop/web', false],
  ])('%s', (_name, rule, question, expected) => {
    expect(allows(readyRules([rule]), asks(question))).toBe(expected)
  })
})

describe('rules for paths', () => {
  it.each([
    ['a path', at('get', '/version'), 'get', '/version', true],
    ['no path below it', at('get', '/version'), 'get', '/version/more', false],
    ['a path by its beginning', at('get', '/api/*'), 'get', '/api/v1', true],
    ['not the path without what follows', at('get', '/api/*'), 'get', '/api', false],
    ['a star is special at the end alone', at('get', '/a*/b'), 'get', '/aa/b', false],
    ['every path', at('get', '*'), 'get', '/metrics', true],
    ['no other verb', at('get', '*'), 'post', '/metrics', false],
    ['every verb', at('*', '/metrics'), 'post', '/metrics', true],
    ['no resource rule', on('*', '*', '*'), 'get', '/metrics', false],
  ])('%s', (_name, rule, verb, path, expected) => {
    expect(allows(readyRules([rule]), asksPath(verb, path))).toBe(expected)
  })
})

const word = (...words: string[]) => fc.uniqueArray(fc.constantFrom(...words), { minLength: 1, maxLength: 3 })
const rule: fc.Arbitrary<AccessRule> = fc.oneof(
  fc.record({
    verbs: word('get', 'list', 'create', '*'),
    apiGroups: word('', 'apps', '*'),
    resources: word('pods', 'pods/log', 'deployments', '*/scale', '*'),
    resourceNames: fc.oneof(fc.constant<string[]>([]), word('web', 'db')),
  }),
  fc.record({ verbs: word('get', 'post', '*'), nonResourceURLs: word('/version', '/api/*', '*') }),
)
const question = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('get', 'list', 'create', 'delete'),
      fc.constantFrom('core', 'apps'),
      fc.constantFrom('pods', 'pods/log', 'deployments', 'deployments/scale'),
      fc.constantFrom('shop', 'shop/web', 'shop/other'),
    )
    .map((words) => asks(words.join(' '))),
  fc.tuple(fc.constantFrom('get', 'post'), fc.constantFrom('/version', '/api', '/api/v1')).map(([verb, path]) => asksPath(verb, path)),
)

describe('for any rules', () => {
  it('adding a rule never takes a right away', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 4 }), rule, question, (rules, more, asked) => {
        if (allows(readyRules(rules), asked)) expect(allows(readyRules([more, ...rules]), asked)).toBe(true)
      }),
    )
  })

  it('together they allow exactly what one of them allows', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 4 }), question, (rules, asked) => {
        expect(allows(readyRules(rules), asked)).toBe(rules.some((one) => allows(readyRules([one]), asked)))
      }),
    )
  })
})
