import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson, parseYaml, strictDecodingError } from '../../src/schema/index.ts'

const badRequest = (message: unknown) => expect.objectContaining({ reason: 'BadRequest', message })

describe.each([
  ['parseJson', parseJson],
  ['parseYaml', parseYaml],
])('%s', (_name, parse) => {
  it('reads a body of bytes', () => {
    expect(parse(new TextEncoder().encode('{"a": ["ü", 1, -2.5, true, null, {}]}'))).toEqual({
      value: { a: ['ü', 1, -2.5, true, null, {}] },
      duplicates: [],
    })
  })

  it('reports repeated keys with their path; the last one wins', () => {
    const { value, duplicates } = parse(
      '{"spec": {"replicas": 1, "replicas": 2, "list": [1, {"a": 1, "\\u0061": {"b": 1}}]}, "spec2": "x: {\\"y\\":1}", "s": "\\\\"}',
    )
    expect(value).toEqual({ spec: { replicas: 2, list: [1, { a: { b: 1 } }] }, spec2: 'x: {"y":1}', s: '\\' })
    expect(duplicates).toEqual(['duplicate field "spec.replicas"', 'duplicate field "spec.list[1].a"'])
  })

  it('does not look for them when told so', () => {
    expect(parse('{"a": 1, "a": 2}', { duplicates: false })).toEqual({ value: { a: 2 }, duplicates: [] })
  })

  it('reports a bounded number', () => {
    expect(parse(`{${Array.from({ length: 500 }, () => '"a":1').join()}}`).duplicates).toHaveLength(100)
  })

  it('refuses integers that would lose digits, but not long strings or fractions', () => {
    expect(() => parse('{"a": [9007199254740993]}')).toThrow(
      badRequest(expect.stringContaining('9007199254740993 cannot be represented exactly')),
    )
    expect(() => parse('{"a": -9223372036854775808}')).toThrow(badRequest(expect.stringContaining('cannot be represented')))
    expect(parse('{"a": 9007199254740991, "b": "9007199254740993", "c": 0.12345678901234567}').value).toEqual({
      a: 9007199254740991,
      b: '9007199254740993',
      c: Number('0.12345678901234567'),
    })
  })

  it.each(['1e400', '-1e999', `${'9'.repeat(400)}.5`])('refuses the number %s, which JSON could not write again', (number) => {
    expect(() => parse(`{"a": [${number}]}`)).toThrow(badRequest(expect.stringContaining('beyond the range')))
    expect(parse('{"a": "1e400", "b": 1e-400, "c": 1e300}').value).toEqual({ a: '1e400', b: 0, c: 1e300 })
  })

  it('never lets a key touch a prototype', () => {
    expect(() => parse('{"a": {"__proto__": {"x": 1}}}')).toThrow(badRequest('the key "__proto__" is not allowed in an object'))
    expect(() => parse('{"\\u005f_proto__": 1}')).toThrow(badRequest('the key "__proto__" is not allowed in an object'))
    const { value } = parse('{"constructor": {"prototype": 1}, "b": "__proto__"}')
    expect(Object.keys(value as object)).toEqual(['constructor', 'b'])
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  it('refuses what is nested too deep', () => {
    const deep = (n: number) => '['.repeat(n) + ']'.repeat(n)
    expect(() => parse(deep(100), { maxDepth: 50 })).toThrow(badRequest(expect.stringMatching(/nested deeper than|not valid/)))
    expect(() => parse(`{"a":${deep(100_000)}}`)).toThrow(badRequest(expect.any(String)))
  })

  it('refuses what is too large or malformed', () => {
    expect(() => parse('{"a": 1}', { maxBytes: 4 })).toThrow(expect.objectContaining({ reason: 'RequestEntityTooLarge', status: 413 }))
    expect(() => parse('{"a": ')).toThrow(badRequest(expect.any(String)))
    expect(() => parse(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(badRequest('the request body is not valid UTF-8'))
  })
})

describe('parseJson', () => {
  it('agrees with JSON.parse on any JSON, and finds nothing repeated', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 2), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent)
        fc.pre(!/__proto__|\d{16}/.test(text))
        expect(parseJson(spaced)).toEqual({ value: JSON.parse(spaced), duplicates: [] })
      }),
    )
  })

  it('throws nothing but ApiError on noise', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '1', '\\', 'a', ' '), maxLength: 20 }), (text) => {
        try {
          parseJson(text)
        } catch (error) {
          expect(error).toMatchObject({ reason: 'BadRequest' })
        }
      }),
    )
  })
})

describe('parseYaml', () => {
  it.each(['- ', '? ', '{a: ', '[', '- ? '])('refuses %j without end at once', (opening) => {
    for (const depth of [1_000, 100_000]) {
      const began = performance.now()
      expect(() => parseYaml(`a: b\nc:\n  ${opening.repeat(depth)}x`)).toThrow(badRequest(expect.any(String)))
      expect(performance.now() - began).toBeLessThan(1_000)
    }
  })

  it('refuses keys that are no scalars, and documents of too many tokens', () => {
    for (const text of ['? {a: b}\n: c', '? [a]\n: c', `${'? '.repeat(30)}a`, 'a: &a b\n? *a\n: c'])
      expect(() => parseYaml(text)).toThrow(badRequest('the keys of a YAML mapping must be plain scalars'))
    expect(() => parseYaml(`a: [${'x,'.repeat(200_000)}x]`)).toThrow(expect.objectContaining({ status: 413 }))
    expect(parseYaml(`a: {${Array.from({ length: 600 }, (_, i) => `k${i}: ${i}`).join(', ')}}`).value).toHaveProperty('a.k599', 599)
  })

  it('reads scalars as kubectl does', () => {
    expect(parseYaml('a: yes\nb: 0644\nc: "0644"\nd: 2001-12-14\ne: 22:22\nf: ~\ng: 1e3\nh: 0x1F\ni: |\n  text\n').value).toEqual({
      a: true,
      b: 420,
      c: '0644',
      d: '2001-12-14',
      e: '22:22',
      f: null,
      g: 1000,
      h: 31,
      i: 'text\n',
    })
  })

  it('makes keys strings, and resolves aliases and merge keys into copies', () => {
    const { value } = parseYaml('base: &b {x: 1}\none: *b\ntwo:\n  <<: *b\n  z: 2\n1: one\ntrue: t\n') as {
      value: { base: object; one: object }
    }
    expect(value).toEqual({ base: { x: 1 }, one: { x: 1 }, two: { x: 1, z: 2 }, 1: 'one', true: 't' })
    expect(value.one).not.toBe(value.base)
  })

  it('reports repeated keys', () => {
    expect(parseYaml('spec:\n  a: 1\n  l:\n  - {x: 1, x: 2}\n  a: 2\n')).toEqual({
      value: { spec: { a: 2, l: [{ x: 2 }] } },
      duplicates: ['duplicate field "spec.l[0].x"', 'duplicate field "spec.a"'],
    })
  })

  it('never lets a key touch a prototype, not even by a merge key', () => {
    expect(() => parseYaml('a: {__proto__: {x: 1}}')).toThrow(badRequest('the key "__proto__" is not allowed in an object'))
    expect(() => parseYaml('b: &b\n  __proto__: {x: 1}\na:\n  <<: *b\n')).toThrow(
      badRequest('the key "__proto__" is not allowed in an object'),
    )
  })

  it('refuses an alias bomb', () => {
    let text = 'a0: &a0 [x,x,x,x,x,x,x,x,x]\n'
    for (let i = 1; i < 9; i++) text += `a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join()}]\n`
    expect(() => parseYaml(text)).toThrow(badRequest(expect.any(String)))
  })

  it('refuses several documents and bad indentation', () => {
    expect(() => parseYaml('a: 1\n---\nb: 1\n')).toThrow(badRequest('the request body must be a single YAML document'))
    expect(() => parseYaml('a: b: c')).toThrow(badRequest(expect.stringContaining('not valid YAML')))
    expect(() => parseYaml('a: .inf')).toThrow(badRequest(expect.stringContaining('no JSON form')))
  })
})

it('words strict decoding errors as Kubernetes does', () => {
  expect(strictDecodingError('Deployment', 'v1', ['unknown field "spec.foo"', 'duplicate field "spec.replicas"'])).toMatchObject({
    status: 400,
    message:
      'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.foo", duplicate field "spec.replicas"',
  })
})
