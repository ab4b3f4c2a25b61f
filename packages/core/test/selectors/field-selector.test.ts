import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkFieldSelector, compileFieldSelector, formatFieldSelector, parseFieldSelector } from '../../src/selectors/index.ts'

describe('field selectors', () => {
  it('reads terms, both equals signs, inequality and escapes', () => {
    expect(parseFieldSelector('status.phase!=Running,metadata.name==a\\,b\\=c\\\\,')).toEqual([
      { field: 'metadata.name', operator: '=', value: 'a,b=c\\' },
      { field: 'status.phase', operator: '!=', value: 'Running' },
    ])
    expect(parseFieldSelector('')).toEqual([])
  })

  it.each([
    ['metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ['a=b\\c', 'invalid field selector: invalid escape sequence: \\c'],
    ['a=b=c', 'invalid field selector: unescaped character in value: ='],
  ])('refuses %s', (text, message) => {
    expect(() => parseFieldSelector(text)).toThrow(expect.objectContaining({ reason: 'BadRequest', message }))
  })

  it('survives a round trip with any value', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            field: fc.stringMatching(/^[a-z.]{1,8}$/),
            operator: fc.constantFrom('=' as const, '!=' as const),
            value: fc.string(),
          }),
        ),
        (terms) => {
          const sorted = [...terms].sort((a, b) => (a.field < b.field ? -1 : a.field > b.field ? 1 : 0))
          expect(parseFieldSelector(formatFieldSelector(sorted))).toEqual(sorted)
        },
      ),
    )
  })

  it('knows name and namespace everywhere, and the fields of the kind', () => {
    expect(() => checkFieldSelector(parseFieldSelector('metadata.name=a,metadata.namespace=b'))).not.toThrow()
    expect(() => checkFieldSelector(parseFieldSelector('spec.x=a'))).toThrow(
      '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    )
    expect(() => checkFieldSelector(parseFieldSelector('spec.y=a'), ['spec.x'])).toThrow('field label not supported: spec.y')
  })

  it('compiles to a predicate', () => {
    const matches = compileFieldSelector(parseFieldSelector('a=1,b!=2'), (o: Record<string, string>, f) => o[f] ?? '')
    expect([matches({ a: '1' }), matches({ a: '1', b: '2' }), matches({})]).toEqual([true, false, false])
  })
})
