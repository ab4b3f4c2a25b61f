import type { AccessRule } from '@continuo/workload'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { at, on } from '../../src/defaults/notation.ts'
import { breakDown, compactRules, describeRule, missingRules } from '../../src/rules/cover-rules.ts'
import { allows, readyRules } from '../../src/rules/match-rules.ts'
import { asks } from '../questions.ts'

const everything = [on('*', '*', '*'), at('*', '*')]

describe('missingRules', () => {
  it.each<[string, AccessRule[], AccessRule[], AccessRule[]]>([
    ['the same rule', [on('get', 'core', 'pods')], [on('get', 'core', 'pods')], []],
    ['wildcards cover all', everything, [on('get', 'apps', 'deployments/scale', 'web'), at('get', '/x')], []],
    ['two rules together', [on('get', 'core', 'pods'), on('list', 'core', 'pods')], [on('get list', 'core', 'pods')], []],
    ['one verb is missing', [on('get', 'core', 'pods')], [on('get list', 'core', 'pods')], [on('list', 'core', 'pods')]],
    ['a wildcard needs a wildcard', [on('get list', 'core', 'pods')], [on('*', 'core', 'pods')], [on('*', 'core', 'pods')]],
    ['names are covered by no names', [on('get', 'core', 'secrets')], [on('get', 'core', 'secrets', 'a')], []],
    ['no names need no names', [on('get', 'core', 'secrets', 'a')], [on('get', 'core', 'secrets')], [on('get', 'core', 'secrets')]],
    ['other names', [on('get', 'core', 'secrets', 'a')], [on('get', 'core', 'secrets', 'a b')], [on('get', 'core', 'secrets', 'b')]],
    ['a subresource of all', [on('get', 'apps', '*/scale')], [on('get', 'apps', 'deployments/scale')], []],
    ['the resource is not its subresource', [on('get', 'apps', '*/scale')], [on('get', 'apps', 'x')], [on('get', 'apps', 'x')]],
    ['a beginning of paths', [at('get', '/api/*')], [at('get', '/api/v1 /apis')], [at('get', '/apis')]],
  ])('%s', (_name, owned, wanted, missing) => {
    expect(missingRules(owned, wanted)).toEqual(missing)
  })

  it('finds nothing missing only where each request that the wanted rules allow is allowed already', () => {
    const word = (...words: string[]) => fc.uniqueArray(fc.constantFrom(...words), { minLength: 1, maxLength: 2 })
    const rule = fc.record({
      verbs: word('get', 'list', '*'),
      apiGroups: word('', 'apps', '*'),
      resources: word('pods', 'pods/log', '*/log', '*'),
      resourceNames: fc.oneof(fc.constant<string[]>([]), word('a', 'b')),
    })
    const questions = ['get', 'list', 'watch'].flatMap((verb) =>
      ['core', 'apps', 'x'].flatMap((group) =>
        ['pods', 'pods/log', 'nodes', 'nodes/log'].flatMap((resource) =>
          ['-', '-/a', '-/b', '-/c'].map((at) => asks(`${verb} ${group} ${resource} ${at}`)),
        ),
      ),
    )
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 3 }), fc.array(rule, { maxLength: 2 }), (owned, wanted) => {
        if (missingRules(owned, wanted).length > 0) return
        const gained = questions.filter((one) => allows(readyRules(wanted), one) && !allows(readyRules(owned), one))
        expect(gained).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})

it('broken down and compacted again, a rule allows the same', () => {
  const rule = on('get list', 'core apps', 'pods deployments', 'a')
  expect(breakDown(rule)).toHaveLength(8)
  expect(compactRules(breakDown(rule))).toEqual(
    ['', 'apps'].flatMap((group) =>
      ['pods', 'deployments'].map((resource) => ({
        apiGroups: [group],
        resources: [resource],
        resourceNames: ['a'],
        verbs: ['get', 'list'],
      })),
    ),
  )
})

it('describes rules as Kubernetes does', () => {
  expect(describeRule(on('get', 'core', 'secrets', 'a'))).toBe(
    '{APIGroups:[""], Resources:["secrets"], ResourceNames:["a"], Verbs:["get"]}',
  )
  expect(describeRule(at('get', '/metrics'))).toBe('{NonResourceURLs:["/metrics"], Verbs:["get"]}')
})
