import { describe, expect, it } from 'vitest'
import { checkStructural, hasStringFormat, type Schema, validate } from '../../src/schema/index.ts'

const say = (schema: Schema, value: unknown) =>
  validate({ type: 'object', properties: { x: schema } }, { x: value }).map((e) => `${e.type} ${e.field}: ${e.message}`)

describe('validate', () => {
  it.each<[Schema, unknown, string[]]>([
    [{ type: 'integer' }, 'a', ['FieldValueTypeInvalid x: Invalid value: "string": x in body must be of type integer: "string"']],
    [{ type: 'integer' }, 1.5, ['FieldValueTypeInvalid x: Invalid value: "number": x in body must be of type integer: "number"']],
    [{ type: 'number' }, 1, []],
    [{ type: 'object' }, [], ['FieldValueTypeInvalid x: Invalid value: "array": x in body must be of type object: "array"']],
    [{ type: 'string' }, null, ['FieldValueTypeInvalid x: Invalid value: "null": x in body must be of type string: "null"']],
    [{ type: 'string', nullable: true }, null, []],
    [{ 'x-kubernetes-int-or-string': true }, 1, []],
    [{ 'x-kubernetes-int-or-string': true }, '50%', []],
    [
      { 'x-kubernetes-int-or-string': true },
      true,
      ['FieldValueTypeInvalid x: Invalid value: "boolean": x in body must be of type integer,string: "boolean"'],
    ],
    [{ type: 'string', definition: 'io.k8s.apimachinery.pkg.api.resource.Quantity' }, 1.5, []],
    [{ type: 'object', required: ['a', 'b'] }, { a: 1 }, ['FieldValueRequired x.b: Required value']],
    [{ type: 'object', required: ['toString'] }, {}, ['FieldValueRequired x.toString: Required value']],
    [{ type: 'string', enum: ['a', 'b'] }, 'c', ['FieldValueNotSupported x: Unsupported value: "c": supported values: "a", "b"']],
    [{ enum: [{ a: 1, b: 2 }] }, { b: 2, a: 1 }, []],
    [{ type: 'integer', minimum: 1 }, 0, ['FieldValueInvalid x: Invalid value: 0: x in body should be greater than or equal to 1']],
    [
      { type: 'integer', minimum: 1, exclusiveMinimum: true },
      1,
      ['FieldValueInvalid x: Invalid value: 1: x in body should be greater than 1'],
    ],
    [{ type: 'integer', maximum: 1 }, 2, ['FieldValueInvalid x: Invalid value: 2: x in body should be less than or equal to 1']],
    [{ type: 'number', multipleOf: 0.1 }, 0.3, []],
    [{ type: 'number', multipleOf: 2 }, 3, ['FieldValueInvalid x: Invalid value: 3: x in body should be a multiple of 2']],
    [
      { type: 'integer', format: 'int32' },
      2147483648,
      ['FieldValueInvalid x: Invalid value: 2147483648: x in body must be of type int32: 2147483648'],
    ],
    [{ type: 'string', maxLength: 2 }, '😀😀', []],
    [{ type: 'string', maxLength: 1 }, '😀😀', ['FieldValueTooLong x: Too long: may not be more than 1 bytes']],
    [{ type: 'string', minLength: 2 }, '😀', ['FieldValueInvalid x: Invalid value: "😀": x in body should be at least 2 chars long']],
    [{ type: 'string', pattern: '^a+$' }, 'b', ['FieldValueInvalid x: Invalid value: "b": x in body should match \'^a+$\'']],
    [{ type: 'string', pattern: 'b' }, 'abc', []],
    [
      { type: 'string', format: 'date-time' },
      'soon',
      ['FieldValueTypeInvalid x: Invalid value: "soon": x in body must be of type date-time: "soon"'],
    ],
    [{ type: 'array', maxItems: 1 }, [1, 2], ['FieldValueTooMany x: Too many: 2: must have at most 1 items']],
    [{ type: 'array', minItems: 1 }, [], ['FieldValueInvalid x: Invalid value: []: x in body should have at least 1 items']],
    [
      { type: 'array', uniqueItems: true },
      [{ a: 1 }, { a: 1 }],
      ['FieldValueInvalid x: Invalid value: [{"a":1},{"a":1}]: x in body shouldn\'t contain duplicates'],
    ],
    [{ type: 'array', 'x-kubernetes-list-type': 'set' }, ['a', 'b', 'a'], ['FieldValueDuplicate x[2]: Duplicate value: "a"']],
    [
      { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
      [{ name: 'a', v: 1 }, { name: 'a' }],
      ['FieldValueDuplicate x[1]: Duplicate value: {"name":"a"}'],
    ],
    [{ type: 'object', maxProperties: 1 }, { a: 1, b: 1 }, ['FieldValueTooMany x: Too many: 2: must have at most 1 items']],
    [{ type: 'object', minProperties: 1 }, {}, ['FieldValueInvalid x: Invalid value: {}: x in body should have at least 1 properties']],
    [
      { type: 'object', properties: {}, additionalProperties: false },
      { a: 1 },
      ['FieldValueInvalid x: Invalid value: {"a":1}: x.a in body is a forbidden property'],
    ],
    [{ anyOf: [{ type: 'string' }, { type: 'integer' }] }, 1, []],
    [
      { anyOf: [{ minimum: 5 }, { maximum: 1 }] },
      3,
      [
        'FieldValueInvalid x: Invalid value: 3: "x" must validate at least one schema (anyOf)',
        'FieldValueInvalid x: Invalid value: 3: x in body should be greater than or equal to 5',
      ],
    ],
    [
      { oneOf: [{ minimum: 1 }, { minimum: 2 }] },
      3,
      ['FieldValueInvalid x: Invalid value: 3: "x" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ],
    [{ not: { minimum: 1 } }, 3, ['FieldValueInvalid x: Invalid value: 3: "x" must not validate the schema (not)']],
    [
      { allOf: [{ minimum: 5 }] },
      3,
      [
        'FieldValueInvalid x: Invalid value: 3: "x" must validate all the schemas (allOf)',
        'FieldValueInvalid x: Invalid value: 3: x in body should be greater than or equal to 5',
      ],
    ],
    [
      { type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } },
      { k: ['a', 1] },
      ['FieldValueTypeInvalid x.k[1]: Invalid value: "integer": x.k[1] in body must be of type string: "integer"'],
    ],
  ])('%j with %j', (schema, value, expected) => {
    expect(say(schema, value)).toEqual(expected)
  })

  it('leaves duplicates alone when told so', () => {
    expect(validate({ type: 'array', 'x-kubernetes-list-type': 'set' }, ['a', 'a'], 'x', { listTypes: false })).toEqual([])
  })

  it('is bounded in errors and in the text it shows', () => {
    expect(
      validate(
        { type: 'array', items: { type: 'string' } },
        Array.from({ length: 500 }, () => 1),
        'x',
      ),
    ).toHaveLength(100)
    const [error] = validate({ type: 'string', maxLength: 1, enum: ['a'] }, 'z'.repeat(1_000_000), 'x')
    expect((error?.message.length ?? 0) < 3000).toBe(true)
  })

  it('is bounded in depth', () => {
    let deep: unknown = 1
    for (let i = 0; i < 5000; i++) deep = [deep]
    const schema: { type: 'array'; items?: unknown } = { type: 'array' }
    schema.items = schema
    expect(validate(schema as Schema, deep, 'x').map((e) => e.message)).toEqual([expect.stringContaining('too large or too deep')])
  })

  it('is not stalled by a hostile pattern', () => {
    expect(say({ type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(5000)}b`)).toHaveLength(1)
  })

  it('refuses a value when the pattern does not compile', () => {
    expect(say({ type: 'string', pattern: '(?=a)' }, 'a')).toEqual([expect.stringContaining('cannot be checked')])
  })
})

describe('string formats', () => {
  it.each([
    ['date-time', '2024-02-29T12:00:00Z', '2023-02-29T12:00:00Z'],
    ['date-time', '2024-01-01T00:00:00.123456789+02:00', '2024-01-01'],
    ['date', '2024-12-31', '2024-13-01'],
    ['byte', 'aGk=', 'a'],
    ['uuid', '123e4567-e89b-12d3-a456-426614174000', '123e4567'],
    ['uuid4', '123e4567-e89b-42d3-a456-426614174000', '123e4567-e89b-12d3-a456-426614174000'],
    ['ipv4', '10.0.0.1', '10.0.0.256'],
    ['ipv6', '::1', '10.0.0.1'],
    ['cidr', '10.0.0.0/8', '10.0.0.0/33'],
    ['mac', '00:11:22:aa:bb:cc', '00:11:22'],
    ['uri', 'https://a.b/c', 'not a uri'],
    ['email', 'a@b.c', 'a@'],
    ['hostname', 'a.b-c.d', '-a'],
    ['duration', '1h30m', 'soon'],
  ])('%s takes %s and refuses %s', (format, good, bad) => {
    expect([hasStringFormat(format, good), hasStringFormat(format, bad)]).toEqual([true, false])
  })

  it('accepts anything for a format it does not know', () => {
    expect(hasStringFormat('toString', 'x') && hasStringFormat('my-format', 'x')).toBe(true)
  })
})

describe('structural schemas', () => {
  const check = (schema: Schema) => checkStructural(schema, 's').map((e) => `${e.field}: ${e.message}`)
  const spec = (x: Schema): Schema => ({ type: 'object', properties: { x } })

  it('passes a good one', () => {
    expect(
      check(
        spec({
          type: 'object',
          properties: {
            port: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
            free: { 'x-kubernetes-preserve-unknown-fields': true },
            list: {
              type: 'array',
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['n'],
              items: { type: 'object', required: ['n'], properties: { n: { type: 'string' } } },
            },
            size: { type: 'integer', default: 1, allOf: [{ minimum: 1 }] },
          },
        }),
      ),
    ).toEqual([])
  })

  it.each<[Schema, string]>([
    [{}, 's.type: Required value: must not be empty at the root'],
    [{ type: 'array', items: { type: 'string' } }, 's.type: Invalid value: "array": must be object at the root'],
    [spec({}), 's.properties[x].type: Required value: must not be empty for specified object fields'],
    [spec({ type: 'array', items: {} }), 's.properties[x].items.type: Required value: must not be empty for specified array items'],
    [spec({ type: 'array' }), 's.properties[x].items: Required value: must be specified'],
    [spec({ type: 'string', anyOf: [{ type: 'string' }] }), 's.properties[x].anyOf[0].type: Forbidden: must be empty to be structural'],
    [
      { type: 'object', anyOf: [{ properties: { a: { minimum: 1 } } }] },
      's.anyOf[0].properties[a]: Required value: because it is specified inside of a logical junctor, it must also be specified outside of it',
    ],
    [
      spec({ type: 'string', pattern: '(' }),
      's.properties[x].pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: error parsing regexp: missing closing ): `(`',
    ],
    [
      spec({ type: 'integer', default: 'a' }),
      's.properties[x].default: Invalid value: "string": s.properties[x].default in body must be of type integer: "string"',
    ],
    [
      spec({ type: 'array', uniqueItems: true, items: { type: 'string' } }),
      's.properties[x].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
    ],
    [
      { type: 'object', properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } },
      's.properties[metadata].properties[labels]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
    ],
  ])('refuses %j', (schema, message) => {
    expect(check(schema)).toContain(message)
  })

  it('demands that list map keys are required or have a default', () => {
    const list: Schema = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['n'],
      items: { type: 'object', properties: { n: { type: 'string' } } },
    }
    expect(check(spec(list))).toEqual([expect.stringMatching(/^s\.properties\[x\]\.items\.properties\[n\]\.default: Required value/)])
  })
})
