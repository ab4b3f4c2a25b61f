import { CelList, type CelMap, type CelType, cel, elementsOf, fn, type ObjectType, type Overload, type Value } from '@continuo/lib-cel'

/** The root of apply configurations, as expressions write them: `Object{spec: Object.spec{replicas: 1}}`. */
export const rootName = 'Object'

/** One operation of a JSON patch, as expressions write it. */
export const jsonPatchType: ObjectType = cel.object('JSONPatch', { op: cel.string, path: cel.string, from: cel.string, value: cel.dyn })

const separators: Readonly<Record<string, string>> = { underscores: '__', dot: '.', dash: '-', slash: '/' }

/** The name in JSON of a field that CEL had to escape: `x__dash__y`, `__namespace__`. */
export const unescapeName = (name: string): string => name.replace(/__([a-z]+)__/g, (_, word: string) => separators[word] ?? word)

/** A message that takes any field: what fields there are is for the object's schema to say, when the configuration is applied. */
const anyFields = (name: string): ObjectType => ({
  kind: 'object',
  name,
  field: (field) => ({ type: cel.dyn as CelType, jsonName: unescapeName(field) }),
})

const known = new Map<string, ObjectType>([[jsonPatchType.name, jsonPatchType]])

/** The types of literals: `JSONPatch`, `Object`, and `Object.` with the path of a field. */
export const literalType = (name: string): ObjectType | undefined =>
  known.get(name) ?? (name === rootName || name.startsWith(`${rootName}.`) ? anyFields(name) : undefined)

/** `jsonpatch.escapeKey("a/b")`: a key as a part of a JSON pointer (RFC 6901). */
export const jsonPatchLibrary: readonly Overload[] = [
  fn('jsonpatch.escapeKey(string): string', (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1'), {
    cost: (size) => Math.ceil(size * 0.1),
  }),
]

/** A literal that stands under a field of another name. Undefined when all stand where they belong. */
export function misplacedLiteral(value: Value, path = rootName): string | undefined {
  if (value instanceof CelList) {
    for (const item of elementsOf(value)) {
      const fault = misplacedLiteral(item, path)
      if (fault !== undefined) return fault
    }
    return undefined
  }
  if (!isLiteral(value)) return undefined
  if (value.typeName !== path)
    return `type mismatch: unexpected type name ${JSON.stringify(value.typeName)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`
  for (const key of value.keys()) {
    const fault = misplacedLiteral(value.get(key) as Value, `${path}.${String(key)}`)
    if (fault !== undefined) return fault
  }
  return undefined
}

const isLiteral = (value: Value): value is CelMap & { readonly typeName: string } =>
  typeof value === 'object' &&
  value !== null &&
  'typeName' in value &&
  typeof value.typeName === 'string' &&
  (value.typeName === rootName || value.typeName.startsWith(`${rootName}.`))
