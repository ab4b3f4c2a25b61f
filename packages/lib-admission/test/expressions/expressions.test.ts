import { compileCel } from '@continuo/lib-cel'
import { describe, expect, it } from 'vitest'
import { Decisions, Evaluation, environment, MatchConditions } from '../../src/index.ts'

const options = environment({ hasAuthorizer: true, result: ['bool'] })
const conditions = (...expressions: readonly string[]): MatchConditions =>
  new MatchConditions(
    expressions.map((expression, index) => ({ name: `c${index}`, expression })),
    options,
  )
const values = { object: { data: { a: '1' } }, oldObject: null, request: { operation: 'CREATE' } }

describe('match conditions', () => {
  it('hold when all are true', async () => {
    expect(await conditions("object.data.a == '1'", 'oldObject == null').evaluate(values)).toEqual({ matches: true })
  })

  it('do not hold when one is false, even if another fails', async () => {
    expect(await conditions('object.data.b == "1"', 'false').evaluate(values)).toEqual({ matches: false })
  })

  it('tell every failure when none is false', async () => {
    const { error } = await conditions('object.data.b == "1"', 'object.data.c == "1"', 'true').evaluate(values)
    expect(error).toMatch(/^\[expression 'object.data.b == "1"' resulted in error: no such key: b, expression .*: no such key: c\]$/)
  })

  it('share a budget', async () => {
    const dear =
      '[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, true)))))'
    expect((await conditions(dear).evaluate(values)).error).toBeUndefined()
    expect((await conditions(...Array.from({ length: 30 }, () => dear)).evaluate(values)).error).toContain('actual cost limit exceeded')
  })
})

describe('variables', () => {
  const compile = (source: string) => compileCel(source, environment({ variables: { kind: 'dyn' } }))

  it('are evaluated when they are needed, and once', async () => {
    let looked = 0
    const evaluation = new Evaluation(
      {
        ...values,
        object: () => {
          looked += 1
          return { n: 1 }
        },
      },
      1_000_000,
    )
    evaluation.define('n', compile('object.n + 1'))
    evaluation.define('never', compile('object.nothing'))
    expect(looked).toBe(0)
    expect(await evaluation.run(compile('variables.n + variables.n'))).toBe(4n)
    expect(await evaluation.run(compile('variables.n'))).toBe(2n)
    expect(looked).toBe(1)
    await expect(evaluation.run(compile('variables.never'))).rejects.toMatchObject({
      message: 'composited variable "never" fails to evaluate: no such key: nothing',
    })
  })
})

describe('decisions', () => {
  const user = { username: 'ann' }
  const question = {
    user,
    verb: 'get',
    isResource: true,
    group: '',
    version: '*',
    resource: 'pods',
    subresource: '',
    namespace: '',
    name: '',
    path: '',
  }

  it('are asked for once', () => {
    let asked = 0
    const decisions = new Decisions({ user, trusted: false }, () => {
      asked += 1
      return { decision: 'allow' }
    })
    decisions.decide(question)
    expect(decisions.decide({ ...question })).toEqual({ decision: 'allow' })
    expect(asked).toBe(1)
  })

  it('that fail are told as errors', () => {
    const decisions = new Decisions({ user, trusted: false }, () => {
      throw new RangeError('no authorizer')
    })
    expect(decisions.decide(question)).toEqual({ decision: 'none', error: 'no authorizer' })
  })

  it('are yes for parts of the control plane themselves, and not for those about whom they ask', () => {
    const decisions = new Decisions({ user, trusted: true }, () => ({ decision: 'none' }))
    expect(decisions.decide(question).decision).toBe('allow')
    expect(decisions.decide({ ...question, user: { username: 'bob' } }).decision).toBe('none')
  })
})
