import { ApiError } from '../errors/api-error.ts'
import { canonicalJson, isRecord } from '../schema/json-value.ts'

/** The identity of a list's element: its merge key's value, or the value itself in a list of primitives. */
export type Identify = (element: unknown) => string

/** Throws BadRequest for an element that lacks the merge key. */
export const identifyBy =
  (mergeKey: string | undefined): Identify =>
  (element) => {
    if (!isRecord(element)) return canonicalJson(element)
    if (mergeKey === undefined || !Object.hasOwn(element, mergeKey) || element[mergeKey] === undefined)
      throw new ApiError(
        'BadRequest',
        `map: ${JSON.stringify(element).slice(0, 200)} does not contain declared merge key: ${mergeKey ?? '(none)'}`,
      )
    return canonicalJson(element[mergeKey])
  }

function positions(list: readonly unknown[], identify: Identify): Map<string, number> {
  const found = new Map<string, number>()
  for (const [i, element] of list.entries()) {
    const id = identify(element)
    if (!found.has(id)) found.set(id, i)
  }
  return found
}

/** Stable sort by the place in an order; what the order does not name keeps to the front. */
const sortBy = (list: readonly unknown[], order: ReadonlyMap<string, number>, identify: Identify): unknown[] =>
  list
    .map((element) => ({ element, place: order.get(identify(element)) ?? -1 }))
    .sort((a, b) => a.place - b.place)
    .map(({ element }) => element)

/**
 * The order of a merged list: what the patch names stands in the patch's order; what only the live list has
 * keeps its own order and goes before the first patched element that followed it in the live list.
 */
export function orderElements(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  liveOrder: readonly unknown[],
  identify: Identify,
): unknown[] {
  const inPatch = positions(patchOrder, identify)
  const inLive = positions(liveOrder, identify)
  const patched: unknown[] = []
  const liveOnly: unknown[] = []
  for (const element of merged) (inPatch.has(identify(element)) ? patched : liveOnly).push(element)
  const right = sortBy(patched, inPatch, identify)
  const left = sortBy(liveOnly, inLive, identify)
  const ordered: unknown[] = []
  let j = 0
  for (const element of left) {
    const place = inLive.get(identify(element)) ?? Number.POSITIVE_INFINITY
    while (j < right.length && !(place < (inLive.get(identify(right[j])) ?? -1))) ordered.push(right[j++])
    ordered.push(element)
  }
  return [...ordered, ...right.slice(j)]
}

/** Throws BadRequest unless the patch's elements stand in the order that the patch asks for. */
export function checkElementOrder(patched: readonly unknown[], order: readonly unknown[], identify: Identify, field: string): void {
  if (order.length === 0) return
  let next = 0
  for (const element of order) if (next < patched.length && identify(element) === identify(patched[next])) next++
  if (next < patched.length) throw new ApiError('BadRequest', `The order in patch list doesn't match $setElementOrder list of ${field}`)
}
