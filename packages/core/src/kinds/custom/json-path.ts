import { ContinuoError } from '../../errors/continuo-error.ts'
import { isRecord } from '../../schema/json-value.ts'

type Step =
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'index'; readonly index: number }
  | { readonly type: 'all' }
  | { readonly type: 'filter'; readonly path: readonly Step[]; readonly operator: '==' | '!=' | 'exists'; readonly value: unknown }

/** A compiled path; finds every value that it leads to, in order. */
export interface JsonPath {
  find(root: unknown): readonly unknown[]
  /** The names, when the path is nothing but names: what can be written to. */
  readonly fields: readonly string[] | undefined
}

const fail = (path: string, why: string): ContinuoError =>
  new ContinuoError('JSON_PATH_INVALID', `JSON path ${JSON.stringify(path)} ${why}`)

/**
 * Compiles the paths that custom resources use: `.spec.replicas`, `.metadata.labels['a.b/c']`, `.a\.b`, `.items[0]`, `.items[*].name`,
 * `.status.conditions[?(@.type=="Ready")].status`. Slices, recursive descent and scripts are not among them. Throws `JSON_PATH_INVALID`.
 */
export function parseJsonPath(path: string): JsonPath {
  const steps = parseSteps(path, path.startsWith('{') && path.endsWith('}') ? path.slice(1, -1) : path)
  const names = steps.flatMap((step) => (step.type === 'field' ? [step.name] : []))
  return { find: (root) => walk(steps, [root]), fields: names.length === steps.length ? names : undefined }
}

function parseSteps(path: string, text: string): readonly Step[] {
  const steps: Step[] = []
  let at = text.startsWith('$') ? 1 : 0
  if (at === text.length) throw fail(path, 'leads nowhere')
  while (at < text.length) {
    const found = text[at] === '.' ? readField(path, text, at + 1) : text[at] === '[' ? readBracket(path, text, at) : undefined
    if (found === undefined) throw fail(path, `has ${JSON.stringify(text[at])} at ${at}, where "." or "[" is wanted`)
    steps.push(found.step)
    at = found.end
  }
  return steps
}

interface Read {
  readonly step: Step
  readonly end: number
}

function readField(path: string, text: string, start: number): Read {
  let name = ''
  let at = start
  for (; at < text.length && text[at] !== '.' && text[at] !== '['; at++) {
    if (text[at] === '\\' && at + 1 < text.length) at++
    name += text[at]
  }
  if (name === '') throw fail(path, 'has an empty name')
  return { step: name === '*' ? { type: 'all' } : { type: 'field', name }, end: at }
}

function readBracket(path: string, text: string, start: number): Read {
  const end = closing(path, text, start)
  const inner = text.slice(start + 1, end - 1).trim()
  if (inner === '*') return { step: { type: 'all' }, end }
  if (/^-?[0-9]+$/.test(inner)) return { step: { type: 'index', index: Number(inner) }, end }
  const quoted = /^'(.*)'$|^"(.*)"$/s.exec(inner)
  if (quoted !== null) return { step: { type: 'field', name: quoted[1] ?? quoted[2] ?? '' }, end }
  const filter = /^\?\(\s*@(.*?)\s*(?:(==|!=)\s*(.+?))?\s*\)$/s.exec(inner)
  if (filter === null) throw fail(path, `has ${JSON.stringify(inner)} between brackets, which is no index, name or filter`)
  const [, below = '', operator, literal] = filter
  const steps = below === '' ? [] : parseSteps(path, below)
  if (operator === undefined) return { step: { type: 'filter', path: steps, operator: 'exists', value: undefined }, end }
  return { step: { type: 'filter', path: steps, operator: operator as '==' | '!=', value: literalValue(path, literal ?? '') }, end }
}

/** The position behind the bracket that closes the one at `start`; quotes hide brackets. */
function closing(path: string, text: string, start: number): number {
  let quote = ''
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const character = text[at] as string
    if (quote !== '') {
      if (character === quote) quote = ''
    } else if (character === '"' || character === "'") quote = character
    else if (character === '[') depth++
    else if (character === ']' && --depth === 0) return at + 1
  }
  throw fail(path, 'has a bracket that is not closed')
}

function literalValue(path: string, literal: string): unknown {
  const quoted = /^'(.*)'$|^"(.*)"$/s.exec(literal)
  if (quoted !== null) return quoted[1] ?? quoted[2]
  if (literal === 'true' || literal === 'false') return literal === 'true'
  if (/^-?[0-9]+(\.[0-9]+)?$/.test(literal)) return Number(literal)
  throw fail(path, `compares with ${JSON.stringify(literal)}, which is no string, number or boolean`)
}

function walk(steps: readonly Step[], roots: readonly unknown[]): readonly unknown[] {
  let values = roots
  for (const step of steps) {
    if (values.length === 0) return values
    values = values.flatMap((value) => follow(step, value))
  }
  return values
}

function follow(step: Step, value: unknown): readonly unknown[] {
  switch (step.type) {
    case 'field':
      return isRecord(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : []
    case 'index': {
      if (!Array.isArray(value)) return []
      const index = step.index < 0 ? value.length + step.index : step.index
      return index >= 0 && index < value.length ? [value[index]] : []
    }
    case 'all':
      return Array.isArray(value) ? value : isRecord(value) ? Object.values(value) : []
    default: {
      if (!Array.isArray(value)) return []
      return value.filter((item) => {
        const [found] = walk(step.path, [item])
        if (step.operator === 'exists') return found !== undefined
        return step.operator === '==' ? found === step.value : found !== step.value
      })
    }
  }
}
