import { ContinuoError } from '@continuo/core'

/** An expression that does not compile. The message points at the place: `ERROR: <input>:1:6: undefined field 'foo'`, then the line and a caret. */
export class CelCompileError extends ContinuoError {
  /** Index of the first fault in the source, in UTF-16 units. */
  readonly offset: number

  constructor(source: string, offset: number, detail: string) {
    super('CEL_COMPILE', locate(source, offset, detail), { hint: 'see kubernetes.io/docs/reference/using-api/cel for the language' })
    this.offset = offset
  }
}

/** An evaluation that came to no value: `no such key: foo`, `division by zero`. `||`, `&&`, `all` and `exists` may absorb it. */
export class CelEvaluationError extends ContinuoError {
  constructor(detail: string) {
    super('CEL_EVALUATION', detail)
  }
}

/** An evaluation that was stopped because it became too dear. Nothing absorbs it. */
export class CelBudgetError extends ContinuoError {
  constructor(limit: number) {
    super('CEL_BUDGET', 'operation cancelled: actual cost limit exceeded', {
      hint: `the expression cost more than ${limit} units; bound the lists, maps and strings that it walks`,
    })
  }
}

function locate(source: string, offset: number, detail: string): string {
  const before = source.slice(0, offset).split('\n')
  const column = before.at(-1)?.length ?? 0
  const line = source.split('\n')[before.length - 1] ?? ''
  const shown = line.length > 400 ? `${line.slice(0, 400)}…` : line
  return `ERROR: <input>:${before.length}:${column + 1}: ${detail}\n | ${shown}\n | ${'.'.repeat(Math.min(column, 400))}^`
}
