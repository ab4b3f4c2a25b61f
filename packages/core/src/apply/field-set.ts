import { normalizeElement } from './path-element.ts'

/**
 * A set of paths as a tree, in the very form of FieldsV1: keys are {@link PathElement}s. A child without keys, or with the key `.`,
 * is a member; other children only lead to members. The empty tree is the empty set.
 *
 * Sets are immutable: operations share whatever they do not change and return their argument itself when nothing does.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet
}

type Draft = Record<string, FieldSet>

/** The empty set; as a child, a member with nothing below it. */
export const emptyFields: FieldSet = Object.freeze({})
/** The key that marks its parent as a member. */
export const self = '.'

/** Whether the set has no member. */
export const isEmptyFields = (set: FieldSet): boolean => {
  for (const _ in set) return false
  return true
}

const isMember = (tree: FieldSet): boolean => tree[self] !== undefined || isEmptyFields(tree)

/** A child in its one form: no keys for a bare member, undefined when it holds nothing. */
function child(member: boolean, below: Draft): FieldSet | undefined {
  if (isEmptyFields(below)) return member ? emptyFields : undefined
  return member ? { [self]: emptyFields, ...below } : below
}

function* elements(tree: FieldSet): Generator<string> {
  for (const element of Object.keys(tree)) if (element !== self) yield element
}

/** Whether the path itself, not only something below it, is in the set. */
export function hasField(set: FieldSet, path: readonly string[]): boolean {
  let tree = set
  for (const element of path) {
    const next = tree[element]
    if (next === undefined) return false
    tree = next
  }
  return path.length > 0 && isMember(tree)
}

/** The set with one more path. */
export function withField(set: FieldSet, path: readonly string[]): FieldSet {
  let tree: FieldSet = emptyFields
  for (let i = path.length - 1; i >= 0; i--) tree = { [path[i] as string]: tree }
  return unionFields(set, tree)
}

function unionChild(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a
  const below = unionBelow(a, b)
  const member = isMember(a) || isMember(b)
  if (below === a && isMember(a) === member) return a
  const { [self]: _, ...rest } = below as Draft
  return child(member, rest) ?? emptyFields
}

/** Children of both; `a` itself when `b` adds none. */
function unionBelow(a: FieldSet, b: FieldSet): FieldSet {
  let copy: Draft | undefined
  for (const element of elements(b)) {
    const mine = a[element]
    const theirs = b[element] as FieldSet
    const joined = mine === undefined ? theirs : unionChild(mine, theirs)
    if (joined !== mine) {
      copy ??= { ...a }
      copy[element] = joined
    }
  }
  return copy ?? a
}

/** What is in either. */
export const unionFields = (a: FieldSet, b: FieldSet): FieldSet => (isEmptyFields(a) ? b : unionBelow(a, b))

/** What is in both: the same paths exactly. */
export function intersectFields(a: FieldSet, b: FieldSet): FieldSet {
  const kept: Draft = {}
  for (const element of elements(a)) {
    const mine = a[element] as FieldSet
    const theirs = b[element]
    if (theirs === undefined) continue
    const joined = child(isMember(mine) && isMember(theirs), intersectFields(mine, theirs) as Draft)
    if (joined !== undefined) kept[element] = joined
  }
  return kept
}

function subtract(a: FieldSet, b: FieldSet, subtrees: boolean): FieldSet {
  let copy: Draft | undefined
  for (const element of elements(b)) {
    const mine = a[element]
    if (mine === undefined) continue
    const theirs = b[element] as FieldSet
    let left: FieldSet | undefined
    if (!(subtrees && isMember(theirs))) {
      const below = subtract(mine, theirs, subtrees)
      const member = isMember(mine) && !isMember(theirs)
      if (below === mine && member === isMember(mine)) left = mine
      else {
        const { [self]: _, ...rest } = below as Draft
        left = child(member, rest)
      }
    }
    if (left === mine) continue
    copy ??= { ...a }
    if (left === undefined) delete copy[element]
    else copy[element] = left
  }
  return copy ?? a
}

/** What is in `a` and not in `b`: the same paths exactly; what lies below a path of `b` stays. */
export const differenceFields = (a: FieldSet, b: FieldSet): FieldSet => subtract(a, b, false)

/** What is in `a` and neither in `b` nor below a path of `b`. */
export const withoutSubtrees = (a: FieldSet, b: FieldSet): FieldSet => subtract(a, b, true)

/** Whether both hold the same paths. */
export function equalFields(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true
  let count = 0
  for (const element of elements(a)) {
    const theirs = b[element]
    const mine = a[element] as FieldSet
    if (theirs === undefined || isMember(mine) !== isMember(theirs) || !equalFields(mine, theirs)) return false
    count++
  }
  for (const _ of elements(b)) count--
  return count === 0
}

/** Every path of the set, parents before children, elements in order of their text. */
export function* fieldPaths(set: FieldSet, parent: readonly string[] = []): Generator<readonly string[]> {
  for (const element of [...elements(set)].sort()) {
    const tree = set[element] as FieldSet
    const path = [...parent, element]
    if (isMember(tree)) yield path
    yield* fieldPaths(tree, path)
  }
}

/** The set as `fieldsV1` carries it: keys sorted, so that equal sets are equal text. */
export function formatFieldsV1(set: FieldSet): Record<string, unknown> {
  const sorted: Record<string, unknown> = {}
  for (const element of Object.keys(set).sort()) sorted[element] = formatFieldsV1(set[element] as FieldSet)
  return sorted
}

const maxFieldsDepth = 500

function parseTree(value: unknown, depth: number): FieldSet | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > maxFieldsDepth) return undefined
  const source = value as Draft
  const keys = Object.keys(source)
  if (keys.length === 1 && keys[0] === self) return emptyFields
  let copy: Draft | undefined
  for (const key of keys) {
    if (key === self) continue
    const element = normalizeElement(key)
    const tree = element === undefined ? undefined : parseTree(source[key], depth + 1)
    if (element === undefined || tree === undefined) return undefined
    if (element === key && tree === source[key]) continue
    copy ??= { ...source }
    if (element !== key) delete copy[key]
    copy[element] = element !== key && copy[element] !== undefined ? unionChild(copy[element], tree) : tree
  }
  return copy ?? source
}

/** The set that a `fieldsV1` says, or undefined when it is malformed. Shares with its input, which must not change any more. */
export const parseFieldsV1 = (fieldsV1: unknown): FieldSet | undefined => parseTree(fieldsV1, 0)
