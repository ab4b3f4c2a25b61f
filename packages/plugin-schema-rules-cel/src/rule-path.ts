import type { Schema } from '@continuo/core'

/** `.spec.ports`, `['a.b']`. */
const step = /^(?:\.([A-Za-z_][A-Za-z0-9_-]*)|\['((?:[^'\\]|\\.)+)'\])/

/** A rule's `fieldPath` as the names it goes through, or what is wrong with it. Only fields that the schema has, no list items. */
export function parseRulePath(path: string, schema: Schema): { readonly names: readonly string[] } | { readonly fault: string } {
  const names: string[] = []
  let at: Schema | undefined = schema
  let rest = path
  while (rest !== '') {
    const match = step.exec(rest)
    if (match === null) return { fault: `expected [ or . but got: ${rest.slice(0, 1)}` }
    const name = match[1] ?? (match[2] as string).replace(/\\(.)/g, '$1')
    const next: Schema | undefined =
      at.properties !== undefined && Object.hasOwn(at.properties, name)
        ? at.properties[name]
        : typeof at.additionalProperties === 'object'
          ? at.additionalProperties
          : undefined
    if (next === undefined) return { fault: 'does not refer to a valid field' }
    names.push(name)
    at = next
    rest = rest.slice(match[0].length)
  }
  return { names }
}

/** The path of a field below another: `spec` and `[ports]` give `spec.ports`. */
export const below = (base: string, names: readonly string[]): string =>
  names.reduce((path, name) => (path === '' ? name : `${path}.${name}`), base)
