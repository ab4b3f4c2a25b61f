import { isContinuoError } from '@continuo/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CelBudgetError, CelCompileError, cel, compileCel, Meter, toJson } from '../src/index.ts'

const variables = { self: cel.dyn, n: cel.int, text: cel.string }
const big = {
  self: {
    list: Array.from({ length: 5_000 }, (_, i) => i),
    text: 'a'.repeat(100_000),
    nested: Array.from({ length: 300 }, () => Array.from({ length: 300 }, (_, i) => ({ i }))),
  },
  n: 7,
  text: 'a'.repeat(200_000),
}

/** Milliseconds that a plain walk takes which spends the same budget: what an attack is measured against. */
function reference(budget: number): number {
  const program = compileCel('self.list.all(a, self.list.all(b, a >= 0))', { variables })
  const started = performance.now()
  expect(() => program.evaluate(big, new Meter(budget))).toThrow(CelBudgetError)
  return performance.now() - started
}

describe('an expression that wants to take for ever', () => {
  const budget = 1_000_000

  it.each([
    'self.list.all(a, self.list.all(b, self.list.all(c, a + b + c >= 0)))',
    'self.list.map(a, self.list.map(b, self.list.map(c, c))).size() > 0',
    'self.list.exists(a, self.list.exists(b, [a, b] == [1, -1]))',
    'self.list.all(a, text.matches("(a+)+$") && text.matches("(a|aa)*b"))',
    'self.list.all(a, text.contains("b") || text.contains("ab"))',
    'self.list.all(a, text.replace("a", text.substring(0, 50000)).size() > 0)',
    'self.list.all(a, text.split("").join(",").size() > 0)',
    'self.list.all(a, (text + text + text + text).size() > 0)',
    'self.list.all(a, self.nested == self.nested.map(x, x))',
    'self.list.all(a, a in self.list.map(x, x + 1) || true)',
    'self.list.all(a, sets.contains(self.list, self.list))',
    'self.list.all(a, self.list.isSorted())',
    'self.list.map(a, {"k": self.list}).size() > 0 && self.list.all(a, "%s".format([self.nested]) != "")',
    'cel.bind(a, [1, 1], cel.bind(b, [a, a], cel.bind(c, [b, b, b, b], cel.bind(d, [c, c, c, c], cel.bind(e, [d, d, d, d], cel.bind(f, [e, e, e, e], "%s".format([[f, f, f, f, f, f, f, f, f, f]]) == ""))))))',
    'self.list.all(a, text.lowerAscii() == text && text.trim() == text)',
    'self.list.all(a, text.findAll("a").size() > 0)',
    'self.list.all(a, text.indexOf("ab") == -1 && text.lastIndexOf("ab") == -1)',
    'self.list.all(a, text == "b" + text.substring(1))',
    'self.list.all(a, size(bytes(text)) > 0 && string(bytes(text)) == text)',
    'self.list.all(a, timestamp("2020-01-01T00:00:00Z").getHours("Europe/Berlin") > 100 || true)',
    'self.list.map(a, self.list).map(x, x + x).size() > 0',
  ])('is stopped by its budget: %s', (source) => {
    const usual = reference(budget)
    const program = compileCel(source, { variables })
    const started = performance.now()
    let outcome: unknown
    try {
      outcome = program.evaluate(big, new Meter(budget))
    } catch (error) {
      if (!isContinuoError(error)) throw error
      outcome = error.code
    }
    const took = performance.now() - started
    expect(['CEL_BUDGET', 'CEL_EVALUATION', true, false]).toContain(outcome)
    expect(took).toBeLessThan(Math.max(500, usual * 60))
  })

  it('of sets of objects that are all alike is stopped too', () => {
    const self = { kind: 'list' as const, element: cel.dyn, listType: 'set' as const }
    const list = Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? { a: i } : { a: i, b: i }))
    for (const source of ['self == other', '(self + other).size() > 0']) {
      const program = compileCel(source, { variables: { self, other: self } })
      const started = performance.now()
      expect(() => program.evaluate({ self: list, other: [...list].reverse() }, new Meter(budget))).toThrow(CelBudgetError)
      expect(performance.now() - started).toBeLessThan(3_000)
    }
  })

  it('cannot hide behind what absorbs errors', () => {
    const program = compileCel('self.list.all(a, self.list.all(b, self.list.all(c, a + b + c >= 0))) || true', { variables })
    expect(() => program.evaluate(big, new Meter(10_000))).toThrow(CelBudgetError)
  })

  it('pays for its result too', () => {
    const program = compileCel('cel.bind(a, [1, 1], cel.bind(b, [a, a], cel.bind(c, [b, b], [c, c])))', { variables })
    const meter = new Meter(200)
    const value = program.evaluate(big, meter)
    expect(() => toJson(value, new Meter(5))).toThrow(CelBudgetError)
  })
})

describe('source that wants to exhaust the compiler', () => {
  it.each([
    ['nested parentheses', `${'('.repeat(50_000)}1${')'.repeat(49_000)}`],
    ['nots', `${'!'.repeat(90_000)}true`],
    ['minuses', `${'-'.repeat(90_000)}n`],
    ['a chain of additions', `n${'+n'.repeat(49_000)}`],
    ['a chain of fields', `self${'.a'.repeat(40_000)}`],
    ['nested ternaries', `${'true?1:'.repeat(12_000)}1`],
    ['nested lists', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
    ['an endless string', `"${'a'.repeat(99_000)}`],
    ['nested macros', `${'self.all(a, '.repeat(5_000)}true${')'.repeat(5_000)}`],
    ['too long', 'a'.repeat(200_000)],
  ])('%s is refused at once', (_name, source) => {
    const started = performance.now()
    expect(() => compileCel(source, { variables })).toThrow(CelCompileError)
    expect(performance.now() - started).toBeLessThan(1_500)
  })

  it('long chains of && and || are fine', () => {
    const program = compileCel(Array.from({ length: 5_000 }, () => 'n > 0').join(' && '), { variables })
    expect(program.evaluate({ n: 1 }, new Meter(1_000_000))).toBe(true)
  })

  it('whatever the source, it compiles or is refused with its place', () => {
    const token = fc.constantFrom(
      'self',
      'n',
      'text',
      '.',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      ',',
      '?',
      ':',
      '+',
      '-',
      '!',
      '&&',
      '||',
      '==',
      '<',
      'in',
      '1',
      '2.5',
      '"a"',
      "'b'",
      'all',
      'map',
      'x',
      'has',
      'size',
      'true',
      'null',
      '.?',
      '[?',
      'cel.bind',
      'b"\\xff"',
      '`a.b`',
      '%',
      '1u',
      '"\\q"',
      '\n',
      '//c',
    )
    fc.assert(
      fc.property(fc.array(token, { maxLength: 25 }), fc.boolean(), (tokens, spaced) => {
        try {
          const program = compileCel(tokens.join(spaced ? ' ' : ''), { variables })
          program.evaluate({ self: { x: [1] }, n: 1, text: 'a' }, new Meter(10_000))
        } catch (error) {
          if (!isContinuoError(error)) throw error
        }
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('the estimate', () => {
  it('is never below what an evaluation within the bounds costs', () => {
    const items = { kind: 'list' as const, element: cel.string, max: 20 }
    const bounded = {
      list: { ...items, element: { kind: 'string' as const, max: 8 } },
      text: { kind: 'string' as const, max: 50 },
      n: cel.int,
    }
    const sources = [
      'list.all(x, list.exists(y, x == y))',
      'list.map(x, x + text).filter(x, x.startsWith("a")).size() > n',
      'list.exists_one(x, x.matches("^a+$")) || text.contains("aaa")',
      'list.join(text).size() > n && list.transformList(i, x, x).size() > 0',
      '[n, n + 1].map(x, x * 2).sum() > 3 ? text.split("a").size() > 1 : has({"a": 1}.a)',
      'sets.intersects(list, list) && list.indexOf("b") == -1',
    ]
    for (const source of sources) {
      const program = compileCel(source, { variables: bounded })
      fc.assert(
        fc.property(fc.array(fc.string({ maxLength: 8 }), { maxLength: 20 }), fc.string({ maxLength: 50 }), (list, text) => {
          const meter = new Meter(10_000_000)
          program.evaluate({ list, text, n: 1 }, meter)
          expect(meter.spent).toBeLessThanOrEqual(program.estimate)
        }),
        { numRuns: 100 },
      )
    }
  })
})
