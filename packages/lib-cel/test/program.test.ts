import type { Schema } from '@continuo/core'
import { describe, expect, it } from 'vitest'
import { cel, compileCel, Meter, toJson, typeOfSchema } from '../src/index.ts'

const schema: Schema = {
  type: 'object',
  properties: {
    replicas: { type: 'integer' },
    ratio: { type: 'number' },
    name: { type: 'string', maxLength: 20 },
    items: { type: 'array', maxItems: 10, items: { type: 'object', properties: { b: { type: 'integer' } } } },
    port: { 'x-kubernetes-int-or-string': true },
    labels: { type: 'object', additionalProperties: { type: 'string', maxLength: 5 } },
    namespace: { type: 'string' },
    'a-b': { type: 'string' },
    'x.y/z__q': { type: 'string' },
    tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: { type: 'string' }, port: { type: 'integer' } } },
    },
    when: { type: 'string', format: 'date-time' },
    wait: { type: 'string', format: 'duration' },
    blob: { type: 'string', format: 'byte' },
    maybe: { type: 'object', nullable: true, properties: { x: { type: 'integer' } } },
  },
}
const self = typeOfSchema(schema) ?? cel.dyn
const value = {
  replicas: 3,
  ratio: 2,
  name: 'x😀a',
  items: [{ b: 1 }, {}],
  port: 80,
  labels: { k: 'v', 'a.b/c': 'w' },
  namespace: 'ns',
  'a-b': 'ab',
  'x.y/z__q': 'odd',
  tags: ['a', 'b'],
  ports: [
    { name: 'http', port: 80 },
    { name: 'dns', port: 53 },
  ],
  when: '2020-02-29T12:30:00.5Z',
  wait: '1h30m',
  blob: 'aGk=',
  maybe: null,
}
const old = { ...value, tags: ['b', 'a'], ports: [...value.ports].reverse() }

function run(source: string, variables: Record<string, unknown> = { self: value, oldSelf: old }): unknown {
  const meter = new Meter(1_000_000)
  return toJson(compileCel(source, { variables: { self, oldSelf: self } }).evaluate(variables, meter), meter)
}

const fault = (source: string): string => {
  try {
    run(source)
  } catch (error) {
    return (error as Error).message
  }
  return 'no fault'
}

describe('an expression over a typed object', () => {
  it.each<[string, unknown]>([
    ['self.replicas <= 10', true],
    ['self.ratio * 1.5', 3],
    ['has(self.items[0].b) && !has(self.items[1].b)', true],
    ['has(self.maybe)', true],
    ['self.maybe == null', true],
    ['self.port == 80 && self.port != "80"', true],
    ['type(self.port) == int', true],
    ['self.__namespace__ + self.a__dash__b + self.x__dot__y__slash__z__underscores__q', 'nsabodd'],
    ['self.tags == oldSelf.tags', true],
    ['self.ports == oldSelf.ports', true],
    ['self == oldSelf', true],
    ['self.tags + ["c", "a"]', ['a', 'b', 'c']],
    ['(self.ports + oldSelf.ports).size()', 2],
    ['self.labels.all(k, k != "")', true],
    ['self.labels["a.b/c"]', 'w'],
    ['"k" in self.labels && !("z" in self.labels)', true],
    ['self.labels.map(k, self.labels[k]).join(",")', 'v,w'],
    ['self.labels.transformMap(k, v, v + "!")', { k: 'v!', 'a.b/c': 'w!' }],
    ['self.items.all(i, item, i < 2)', true],
    ['self.items.transformList(i, item, item.?b.orValue(i))', [1, 1]],
    ['self.items.map(i, i.?b.orValue(7))', [1, 7]],
    ['self.items[?5].hasValue()', false],
    ['self.?maybe.?x.orValue(4)', 4],
    ['self.items.exists_one(i, has(i.b))', true],
    ['self.items.filter(i, has(i.b)).size()', 1],
    ['self.when.getDayOfYear()', 59],
    ['self.when + self.wait', '2020-02-29T14:00:00.500Z'.replace('500', '5')],
    ['self.wait > duration("89m")', true],
    ['self.when.getHours("America/New_York")', 7],
    ['self.when.getHours("-02:30")', 10],
    ['string(self.blob)', 'hi'],
    ['self.name.size()', 3],
    ['self.name.indexOf("a")', 2],
    ['self.name.substring(1, 2)', '😀'],
    ['cel.bind(x, self.replicas, x * x)', 9],
    ['optional.of(2).optMap(x, x + 1).value()', 3],
    ['optional.none().or(optional.of(1)).value()', 1],
    ['[?self.?maybe.?x, 1]', [1]],
    ['{?"a": self.items[0].?b, ?"b": self.items[1].?b}', { a: 1 }],
  ])('%s', (source, expected) => expect(run(source)).toEqual(expected))
})

describe('the libraries of Kubernetes', () => {
  it.each<[string, unknown]>(
    [
      ['[1, 2, 3].sum() == 6 && [1.5, 1.5].sum() == 3.0 && [].sum() == 0', true],
      ['[3, 1, 2].min() == 1 && ["a", "c"].max() == "c"', true],
      ['[1, 2].isSorted() && ![2, 1].isSorted()', true],
      ['[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2', true],
      ['"abc 123".find("[0-9]+") == "123" && "a1b2".findAll("[0-9]") == ["1", "2"] && "a1b2".findAll("[0-9]", 1) == ["1"]', true],
      ['url("https://user@Example.com:8443/a b?x=1&x=2").getHost()', undefined],
      ['url("https://example.com:8443/a?x=1&x=2").getHost()', 'example.com:8443'],
      ['url("https://[::1]:8443/").getHostname() + url("https://[::1]:8443/").getPort()', '::18443'],
      ['url("/path?x=1&x=2").getQuery()["x"]', ['1', '2']],
      ['isURL("../a") || isURL("")', false],
      ['quantity("1Gi").isGreaterThan(quantity("1G")) && quantity("50M").add(quantity("20k")) == quantity("50020k")', true],
      ['quantity("2").asInteger() == 2 && !isQuantity("2 apples") && quantity("-5").sign() == -1', true],
      ['quantity("50k").sub(20).compareTo(quantity("49980")) == 0 && quantity("500000m").isInteger()', true],
      ['ip("::1").isLoopback() && ip("127.0.0.1").family() == 4 && !isIP("::ffff:1.2.3.4") && !isIP("01.2.3.4")', true],
      ['ip.isCanonical("2001:db8::1") && !ip.isCanonical("2001:DB8::1") && string(ip("2001:0:0:0:0:0:0:1")) == "2001::1"', true],
      ['cidr("10.0.0.0/8").containsIP("10.1.2.3") && cidr("10.0.0.0/8").containsCIDR(cidr("10.1.0.0/16"))', true],
      ['cidr("10.1.2.3/8").masked() == cidr("10.0.0.0/8") && cidr("::/0").prefixLength() == 0 && !isCIDR("10.0.0.0/33")', true],
      [
        'semver("1.2.3-a.1").isLessThan(semver("1.2.3")) && isSemver("v1.0", true) && !isSemver("v1.0") && semver("1.2.3").minor() == 2',
        true,
      ],
      ['!format.dns1123Label().validate("ok").hasValue() && format.named("dns1123Label").value().validate("A_").hasValue()', true],
      ['!format.named("nope").hasValue() && format.uuid() == format.uuid()', true],
      ['sets.contains([1, 2], [1]) && sets.equivalent([1, 1, 2], [2, 1]) && !sets.intersects([1], [2])', true],
      ['"%s %d %.2f %x %%".format(["a", 1, 2.5, 255])', 'a 1 2.50 ff %'],
      ['"%s".format([[1, "b", {"k": true}]])', '[1, b, {k: true}]'],
      ['strings.quote("a\\"b\\n")', '"a\\"b\\n"'],
      ['jsonpatch.escapeKey("a/b~c")', 'a~1b~0c'],
      ['"a,b,c".split(",", 2) == ["a", "b,c"] && "aXbX".replace("X", "-", 1) == "a-bX" && " a ".trim() == "a"', true],
      ['"Ab".lowerAscii() + "Ab".upperAscii() + "abc".charAt(1) + "abc".charAt(3)', 'abABb'],
      ['int("12") + int(1.9) + int(timestamp("1970-01-01T00:00:01Z")) == 14 && uint(3) == 3u', true],
      ['b"\\xff\\x00".size() == 2 && "\\u00e9" == "é" && r"\\n".size() == 2 && """a"b""" == "a\\"b"', true],
      ['1u < 2 && 1 < 1.5 && dyn(1) == 1.0 && dyn("1") != 1', true],
      ['true || 1 / 0 > 1', true],
      ['1 / 0 > 1 || true', true],
      ['[1, 0].exists(x, 1 / x == 1)', true],
      ['false ? 1 / 0 : 2', 2],
    ].filter(([, expected]) => expected !== undefined) as [string, unknown][],
  )('%s', (source, expected) => expect(run(source)).toEqual(expected))
})

describe('an expression that is wrong', () => {
  it.each([
    ['self.nope', "ERROR: <input>:1:5: undefined field 'nope'\n | self.nope\n | ....^"],
    ['true &&\n  1', "ERROR: <input>:2:3: expected type 'bool' but found 'int' in '_&&_'\n |   1\n | ..^"],
    ['1 + "a"', "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n | 1 + \"a\"\n | ..^"],
    ['1 == 1.0', "ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, double)'\n | 1 == 1.0\n | ..^"],
    ['nope(1)', "ERROR: <input>:1:1: undeclared reference to 'nope' (in container '')\n | nope(1)\n | ^"],
    ['self.replicas +', "ERROR: <input>:1:16: Syntax error: mismatched input '<EOF>'\n | self.replicas +\n | ...............^"],
    ['"abc', 'ERROR: <input>:1:1: Syntax error: unterminated string literal\n | "abc\n | ^'],
    ['[1, "a"]', "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, \"a\"]\n | ....^"],
  ])('%s is refused with its place', (source, message) => expect(fault(source)).toBe(message))

  it('comes to no value with a reason', () => {
    expect(fault('1 / 0')).toBe('division by zero')
    expect(fault('9223372036854775807 + 1')).toBe('integer overflow')
    expect(fault('self.items[1].b')).toBe('no such key: b')
    expect(fault('self.items[7]')).toBe('index out of bounds: 7')
    expect(fault('{"a": 1, "a": 2}')).toBe('Failed with repeated key: a')
    expect(fault('"a".matches("(")')).toContain('invalid regular expression')
  })

  it('is refused when it must give another type', () => {
    expect(() => compileCel('1', { variables: {}, result: ['bool'] })).toThrow('must evaluate to bool, but is int')
    const dynamic = compileCel('x', { variables: { x: cel.dyn }, result: ['bool'] })
    expect(() => dynamic.evaluate({ x: 1 }, new Meter(10))).toThrow('must evaluate to bool, but gave int')
  })
})

describe('messages', () => {
  it('are written as literals of the types that the host knows', () => {
    const message = (name: string) =>
      name.startsWith('Object')
        ? { kind: 'object' as const, name, field: (field: string) => ({ type: cel.dyn, jsonName: field }) }
        : undefined
    const meter = new Meter(1_000)
    const program = compileCel('Object{spec: Object.spec{replicas: n + 1, ?gone: optional.none()}}', { variables: { n: cel.int }, message })
    expect(toJson(program.evaluate({ n: 1 }, meter), meter)).toEqual({ spec: { replicas: 2 } })
  })
})

describe('variables', () => {
  it('that are functions are called when they are needed, once', () => {
    let calls = 0
    const program = compileCel('a || b + b > 2', { variables: { a: cel.bool, b: cel.int } })
    const b = () => {
      calls++
      return 2
    }
    expect(program.evaluate({ a: true, b }, new Meter(100))).toBe(true)
    expect(calls).toBe(0)
    expect(program.evaluate({ a: false, b }, new Meter(100))).toBe(true)
    expect(calls).toBe(1)
  })

  it('never reach the prototype of an object', () => {
    const program = compileCel('has(x.constructor) || "__proto__" in x || has(x.toString)', { variables: { x: cel.dyn } })
    expect(program.evaluate({ x: {} }, new Meter(100))).toBe(false)
  })
})
