import { canonicalJson, isRecord } from '../schema/json-value.ts'

/**
 * One step of a path, in the form that `managedFields` writes (KEP-555): `f:<name>` a field or map key,
 * `k:<json>` the list element with these keys, `v:<json>` the element of a set, `i:<n>` an index.
 */
export type PathElement = `f:${string}` | `k:${string}` | `v:${string}` | `i:${number}`

/** The element of a field or map key. */
export const fieldElement = (name: string): PathElement => `f:${name}`
/** The element of a set's value. */
export const valueElement = (value: unknown): PathElement => `v:${canonicalJson(value)}`
/** The element of a list's item by its keys. */
export const keyElement = (keys: Readonly<Record<string, unknown>>): PathElement => `k:${canonicalJson(keys)}`
/** The element of a list's item that has no identity. */
export const indexElement = (index: number): PathElement => `i:${index}`

function parseJsonPart(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/** The one spelling of an element, or undefined when it is none. Keys of a `k:` are sorted, JSON carries no spaces. */
export function normalizeElement(text: string): PathElement | undefined {
  const body = text.slice(2)
  switch (text.slice(0, 2)) {
    case 'f:':
      return text as PathElement
    case 'i:':
      return /^(0|[1-9]\d{0,9})$/.test(body) ? (text as PathElement) : undefined
    case 'v:': {
      const parsed = parseJsonPart(body)
      return parsed === undefined ? undefined : valueElement(parsed.value)
    }
    case 'k:': {
      const parsed = parseJsonPart(body)
      return parsed !== undefined && isRecord(parsed.value) ? keyElement(parsed.value) : undefined
    }
    default:
      return undefined
  }
}

function showElement(element: string): string {
  const body = element.slice(2)
  switch (element[0]) {
    case 'f':
      return `.${body}`
    case 'k':
      return `[${Object.entries(JSON.parse(body) as object)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(',')}]`
    case 'v':
      return `[=${body}]`
    default:
      return `[${body}]`
  }
}

/** A path as people and conflict messages read it: `.spec.ports[port=80,protocol="TCP"].name`. */
export const showFieldPath = (path: readonly string[]): string => path.map(showElement).join('')
