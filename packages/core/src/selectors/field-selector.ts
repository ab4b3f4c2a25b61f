import { ApiError } from '../errors/api-error.ts'

/** One term of a field selector; all terms must hold. */
export interface FieldTerm {
  /** The path, as `metadata.name`; which paths exist is the kind's business. */
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/** Splits at commas that no backslash precedes. */
function splitTerms(text: string): string[] {
  const terms: string[] = []
  let start = 0
  let escaped = false
  for (let i = 0; i < text.length; i++) {
    const ch = text[i]
    if (escaped) escaped = false
    else if (ch === '\\') escaped = true
    else if (ch === ',') {
      terms.push(text.slice(start, i))
      start = i + 1
    }
  }
  terms.push(text.slice(start))
  return terms
}

function unescapeValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const ch = text[i] as string
    if (ch === '\\') {
      const next = text[++i]
      if (next !== '\\' && next !== ',' && next !== '=')
        throw new ApiError('BadRequest', `invalid field selector: invalid escape sequence: \\${next ?? ''}`)
      out += next
    } else if (ch === ',' || ch === '=') throw new ApiError('BadRequest', `invalid field selector: unescaped character in value: ${ch}`)
    else out += ch
  }
  return out
}

/**
 * Reads the `fieldSelector` of a request: terms `path=value`, `path==value`, `path!=value`, joined by commas;
 * in a value, `\\`, `\,` and `\=` stand for themselves. Empty terms are skipped. Throws BadRequest in Kubernetes' wording.
 */
export function parseFieldSelector(text: string): readonly FieldTerm[] {
  const terms: FieldTerm[] = []
  for (const part of splitTerms(text)) {
    if (part === '') continue
    const found = /!=|==|=/.exec(part)
    if (found === null) throw new ApiError('BadRequest', `invalid selector: '${text}'; can't understand '${part}'`)
    terms.push({
      field: part.slice(0, found.index),
      operator: found[0] === '!=' ? '!=' : '=',
      value: unescapeValue(part.slice(found.index + found[0].length)),
    })
  }
  return terms.sort((a, b) => (a.field < b.field ? -1 : a.field > b.field ? 1 : 0))
}

/** The inverse of {@link parseFieldSelector}. */
export const formatFieldSelector = (terms: readonly FieldTerm[]): string =>
  terms.map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, '\\$&')}`).join(',')

/**
 * Throws BadRequest when a term names a field that the kind does not offer.
 * `supported` are the kind's own selectable fields; `metadata.name` and `metadata.namespace` always are.
 */
export function checkFieldSelector(terms: readonly FieldTerm[], supported: readonly string[] = []): void {
  for (const { field } of terms) {
    if (field === 'metadata.name' || field === 'metadata.namespace' || supported.includes(field)) continue
    throw new ApiError(
      'BadRequest',
      supported.length === 0
        ? `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
        : `field label not supported: ${field}`,
    )
  }
}

/** A predicate over an object's selectable fields; `read` gives the field's value, and the empty string when it is missing. */
export function compileFieldSelector<T>(terms: readonly FieldTerm[], read: (object: T, field: string) => string): (object: T) => boolean {
  if (terms.length === 0) return () => true
  return (object) => terms.every(({ field, operator, value }) => (read(object, field) === value) === (operator === '='))
}
