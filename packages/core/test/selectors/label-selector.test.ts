import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compileLabelRequirements,
  compileLabelSelector,
  formatLabelSelector,
  labelSelectorRequirements,
  parseLabelSelector,
} from '../../src/selectors/index.ts'

const select = (text: string, labels: Record<string, string> | undefined) => compileLabelRequirements(parseLabelSelector(text))(labels)

describe('label selectors from text', () => {
  it.each([
    ['', undefined, true],
    ['a=b', { a: 'b' }, true],
    ['a==b', { a: 'c' }, false],
    ['a=', { a: '' }, true],
    ['a=,b=2', { a: '', b: '2' }, true],
    ['a!=b', {}, true],
    ['a!=b', { a: 'b' }, false],
    ['a in (b, c)', { a: 'c' }, true],
    ['a in (b, c)', {}, false],
    ['a in (,b)', { a: '' }, true],
    ['a notin (b)', {}, true],
    ['a notin (b,c)', { a: 'c' }, false],
    ['a', { a: '' }, true],
    ['!a', {}, true],
    ['!a', { a: '1' }, false],
    ['a>5', { a: '10' }, true],
    ['a>5', { a: 'x' }, false],
    ['a<5', {}, false],
    ['a<9223372036854775807', { a: '9223372036854775806' }, true],
    ['in in (in,notin)', { in: 'notin' }, true],
    ['constructor', {}, false],
    ['!toString', {}, true],
    ['x=a,y notin (b),!z', { x: 'a' }, true],
    ['example.com/role=web', { 'example.com/role': 'web' }, true],
  ] as const)('%s on %j is %s', (text, labels, expected) => {
    expect(select(text, labels)).toBe(expected)
  })

  it.each([
    ['a=b,', "found '', expected: identifier after ','"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    ['=b', "found '=', expected: !, identifier, or 'end of string'"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a b c', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a in ()', "unable to parse requirement: values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"],
    ['a>b', "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
  ])('refuses %s', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ reason: 'BadRequest', message }))
  })

  it('refuses keys and values that no label can have', () => {
    expect(() => parseLabelSelector('-a=b')).toThrow(/^unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of/)
    expect(() => parseLabelSelector('a=-')).toThrow(
      /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-": a valid label must be/,
    )
    expect(() => parseLabelSelector(`a=${'x'.repeat(64)}`)).toThrow(/must be no more than 63 bytes/)
    expect(() => parseLabelSelector('a/b/c')).toThrow(/a qualified name must consist of/)
  })

  it('formats what it parsed, so that parsing again gives the same', () => {
    const word = fc.stringMatching(/^[a-z]([a-z0-9-]{0,5}[a-z0-9])?$/)
    const term = fc.oneof(
      word,
      word.map((k) => `!${k}`),
      fc.tuple(word, fc.constantFrom('=', '==', '!='), word).map(([k, o, v]) => k + o + v),
      fc
        .tuple(word, fc.constantFrom('in', 'notin'), fc.array(word, { minLength: 1, maxLength: 4 }))
        .map(([k, o, v]) => `${k} ${o} (${v.join(', ')})`),
      fc.tuple(word, fc.constantFrom('<', '>'), fc.integer()).map(([k, o, v]) => (v < 0 ? k : k + o + v)),
    )
    fc.assert(
      fc.property(fc.array(term, { maxLength: 5 }), (terms) => {
        const once = formatLabelSelector(parseLabelSelector(terms.join(',')))
        expect(formatLabelSelector(parseLabelSelector(once))).toBe(once)
      }),
    )
  })

  it('never throws anything but BadRequest', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '=', '!', '(', ')', ',', ' ', '<', '>', 'in', '-', '/') }), (text) => {
        try {
          parseLabelSelector(text)
        } catch (error) {
          expect(error).toMatchObject({ reason: 'BadRequest' })
        }
      }),
    )
  })
})

describe('label selectors from objects', () => {
  it('selects nothing when missing and everything when empty', () => {
    expect(compileLabelSelector(undefined)({})).toBe(false)
    expect(compileLabelSelector({})(undefined)).toBe(true)
  })

  it('needs labels and expressions to hold together', () => {
    const matches = compileLabelSelector({
      matchLabels: { app: 'web' },
      matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['db'] }],
    })
    expect([matches({ app: 'web' }), matches({ app: 'web', tier: 'db' }), matches({ tier: 'x' })]).toEqual([true, false, false])
  })

  it('refuses an unknown operator', () => {
    expect(() => labelSelectorRequirements({ matchExpressions: [{ key: 'a', operator: 'Like' }] })).toThrow(
      '"Like" is not a valid label selector operator',
    )
    expect(() => labelSelectorRequirements({ matchExpressions: [{ key: 'a', operator: 'toString' }] })).toThrow('"toString" is not a valid')
  })
})
