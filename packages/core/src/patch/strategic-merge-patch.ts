import { ApiError } from '../errors/api-error.ts'
import { canonicalJson, cloneJson, isRecord, setOwn } from '../schema/json-value.ts'
import type { Schema } from '../schema/schema.ts'
import { checkElementOrder, identifyBy, orderElements } from './element-order.ts'
import { patchStrategyOf } from './patch-strategy.ts'

const marker = '$patch'
const retainKeys = '$retainKeys'
const deleteFromList = '$deleteFromPrimitiveList/'
const setElementOrder = '$setElementOrder/'

type Json = Record<string, unknown>

const badRequest = (message: string): ApiError => new ApiError('BadRequest', message)

const badDirective = (directive: unknown, patch: Json): ApiError =>
  badRequest(`unknown patch type: ${String(directive)} in map: ${JSON.stringify(patch).slice(0, 200)}`)

function listUnder(patch: Json, key: string): unknown[] {
  const list = patch[key]
  if (!Array.isArray(list)) throw badRequest(`invalid patch format of ${key}: must be a list`)
  return list
}

/** Drops from the original what `$retainKeys` does not list. */
function retain(original: Json, patch: Json): Json {
  const keys = patch[retainKeys]
  if (!Array.isArray(keys)) throw badRequest('invalid patch format of retainKeys')
  for (const key of Object.keys(patch)) {
    if (key === retainKeys || patch[key] === null || key.startsWith(deleteFromList) || key.startsWith(setElementOrder)) continue
    if (!keys.includes(key))
      throw new ApiError(
        'Invalid',
        "the server rejected our request due to an error in our request: patch content doesn't match retainKeys list",
      )
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => keys.includes(key)))
}

function mergePrimitives(original: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const seen = new Set<string>()
  const merged = [...original, ...patch].filter((element) => {
    const id = canonicalJson(element)
    const isNew = !seen.has(id)
    seen.add(id)
    return isNew
  })
  return orderElements(merged, patch, original, identifyBy(undefined))
}

/** Carries out `$patch` elements: deletions change the original, a replacement empties it. */
function mergeMaps(original: readonly unknown[], patch: readonly Json[], mergeKey: string, items: Schema | undefined): unknown[] {
  const identify = identifyBy(mergeKey)
  let kept = [...original]
  const plain: Json[] = []
  let replace = false
  for (const element of patch) {
    if (!Object.hasOwn(element, marker)) plain.push(element)
    else if (element[marker] === 'delete') {
      const id = identify(element)
      kept = kept.filter((candidate) => identify(candidate) !== id)
    } else if (element[marker] === 'replace') replace = true
    else if (element[marker] === 'merge') {
      const { [marker]: _, ...rest } = element
      plain.push(rest)
    } else throw badDirective(element[marker], element)
  }
  if (replace) return plain.filter((element) => Object.keys(element).length > 0).map((element) => mergeObject({}, element, items))
  const places = new Map<string, number>()
  for (const [i, element] of kept.entries()) if (!places.has(identify(element))) places.set(identify(element), i)
  for (const element of plain) {
    const id = identify(element)
    const place = places.get(id)
    if (place === undefined) {
      places.set(id, kept.length)
      kept.push(mergeObject({}, element, items))
    } else kept[place] = mergeObject(kept[place] as Json, element, items)
  }
  return orderElements(kept, plain, original, identify)
}

function mergeList(
  original: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string | undefined,
  schema: Schema | undefined,
): unknown[] {
  const all = [...original, ...patch]
  if (all.some(Array.isArray))
    throw new ApiError('Invalid', 'the server rejected our request due to an error in our request: lists of lists are not supported')
  const maps = all.filter(isRecord).length
  if (maps === 0) return mergePrimitives(original, patch)
  if (maps < all.length) throw badRequest('the elements of a list must all be maps, or all be primitives')
  if (mergeKey === undefined) throw badRequest(`cannot merge lists without merge key for ${schema?.definition ?? 'the list'}`)
  return mergeMaps(original, patch as Json[], mergeKey, schema?.items)
}

/** Puts the list that `$setElementOrder/<field>` names in order, after merging the patch's own list of that field. */
function mergeOrdered(target: Json, patch: Json, directive: string, parent: Schema | undefined): void {
  const order = listUnder(patch, directive)
  const key = directive.slice(setElementOrder.length)
  const { schema, strategy, mergeKey } = patchStrategyOf(parent, key)
  const live = Object.hasOwn(target, key) ? target[key] : undefined
  const patched = Object.hasOwn(patch, key) ? patch[key] : undefined
  if (patched === null) return
  if ((live !== undefined && !Array.isArray(live)) || (patched !== undefined && !Array.isArray(patched)))
    throw badRequest('invalid patch format of setElementOrder list')
  if (live === undefined && patched === undefined) return
  const identify = identifyBy(mergeKey)
  if (patched !== undefined)
    checkElementOrder(
      patched.filter((element) => !(isRecord(element) && Object.hasOwn(element, marker))),
      order,
      identify,
      key,
    )
  const merged =
    patched === undefined
      ? (live as unknown[])
      : strategy === 'merge'
        ? mergeList(live ?? [], patched, mergeKey, schema)
        : cloneJson(patched)
  setOwn(target, key, orderElements(merged, order, live ?? [], identify))
}

function mergeValue(current: unknown, patch: unknown, parent: Schema | undefined, key: string): unknown {
  const { schema, strategy, mergeKey } = patchStrategyOf(parent, key)
  if (isRecord(patch)) return mergeObject(isRecord(current) && strategy !== 'replace' ? current : {}, patch, schema)
  if (Array.isArray(patch) && strategy === 'merge') return mergeList(Array.isArray(current) ? current : [], patch, mergeKey, schema)
  return cloneJson(patch)
}

function mergeObject(original: Json, patch: Json, schema: Schema | undefined): Json {
  if (Object.hasOwn(patch, marker)) {
    const { [marker]: directive, ...rest } = patch
    if (directive === 'replace') return mergeObject({}, rest, schema)
    if (directive === 'delete') return {}
    if (directive !== 'merge') throw badDirective(directive, patch)
    return mergeObject(original, rest, schema)
  }
  const merged: Json = Object.hasOwn(patch, retainKeys) ? retain(original, patch) : { ...original }
  const ordered = new Set<string>()
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(setElementOrder)) continue
    mergeOrdered(merged, patch, key, schema)
    if (Array.isArray(patch[key.slice(setElementOrder.length)])) ordered.add(key.slice(setElementOrder.length))
  }
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (key === retainKeys || key.startsWith(setElementOrder) || ordered.has(key) || value === undefined) continue
    if (key.startsWith(deleteFromList)) {
      const field = key.slice(deleteFromList.length)
      const gone = new Set(listUnder(patch, key).map(canonicalJson))
      const list = Object.hasOwn(merged, field) ? merged[field] : undefined
      if (Array.isArray(list))
        setOwn(
          merged,
          field,
          list.filter((element) => !gone.has(canonicalJson(element))),
        )
    } else if (value === null) delete merged[key]
    else setOwn(merged, key, mergeValue(Object.hasOwn(merged, key) ? merged[key] : undefined, value, schema, key))
  }
  return merged
}

/**
 * Applies a strategic merge patch, as kubectl sends it for built-in kinds: lists merge by the schema's patch strategy and merge key,
 * under the directives `$patch`, `$retainKeys`, `$setElementOrder/<field>` and `$deleteFromPrimitiveList/<field>`.
 * Changes neither argument; the result shares with `current` whatever the patch does not touch.
 * Throws BadRequest for a malformed patch, Invalid when its content contradicts itself.
 */
export function applyStrategicMergePatch(
  schema: Schema,
  current: Readonly<Record<string, unknown>>,
  patch: unknown,
): Record<string, unknown> {
  if (!isRecord(patch)) throw badRequest('error decoding patch: a strategic merge patch must be an object')
  return mergeObject(current, patch, schema)
}
