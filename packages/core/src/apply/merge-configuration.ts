import { jsonEqual, setOwn } from '../schema/json-value.ts'
import type { Schema } from '../schema/schema.ts'
import { fieldSchema, fieldShape, indexList } from './field-shape.ts'
import type { PathElement } from './path-element.ts'

/**
 * Elements of both lists: those of the configuration in its order, the others where they stood among them.
 * The algorithm is that of structured-merge-diff 4.3.
 */
function mergeLists(schema: Schema, live: readonly unknown[], config: readonly unknown[], depth: number): unknown[] {
  const left = indexList(schema, live)
  const right = indexList(schema, config)
  const shared = right.order.filter((element) => left.items.has(element))
  let nextShared = 0
  const merged = new Set<PathElement>()
  const out: unknown[] = []
  const take = (element: PathElement): void => {
    merged.add(element)
    out.push(
      mergeValue(schema.items, left.repeated.has(element) ? undefined : left.items.get(element), right.items.get(element), depth + 1),
    )
    if (shared[nextShared] === element) nextShared++
  }
  let l = 0
  let r = 0
  while (l < left.order.length || r < right.order.length) {
    const mine = left.order[l]
    const theirs = right.order[r]
    if (mine !== undefined && theirs !== undefined) {
      if (mine === theirs) {
        take(mine)
        l++
        r++
        continue
      }
      if (right.items.has(mine) && nextShared < shared.length && shared[nextShared] !== mine) {
        l++
        continue
      }
    }
    if (mine !== undefined) {
      if (!right.items.has(mine)) {
        out.push(live[l++])
        continue
      }
      if (merged.has(mine)) l++
    }
    if (theirs !== undefined) {
      take(theirs)
      r++
    }
  }
  return out
}

function mergeMaps(
  schema: Schema | undefined,
  live: Record<string, unknown>,
  config: Record<string, unknown>,
  depth: number,
): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(config)) {
    if (config[key] === undefined) continue
    const mine = Object.hasOwn(live, key) ? live[key] : undefined
    const merged = mergeValue(fieldSchema(schema, key, depth === 0), mine, config[key], depth + 1)
    if (merged !== mine) {
      copy ??= { ...live }
      setOwn(copy, key, merged)
    }
  }
  return copy ?? live
}

function mergeValue(schema: Schema | undefined, live: unknown, config: unknown, depth: number): unknown {
  if (config === undefined) return live
  if (live === undefined || live === null) return config
  const shape = fieldShape(schema, live)
  if (shape !== 'leaf') {
    // A null configuration of a granular map or list names nothing in it, so nothing of it changes.
    if (config === null) return schema?.type === undefined ? null : live
    if (fieldShape(schema, config) === shape) {
      if (shape === 'map') return mergeMaps(schema, live as Record<string, unknown>, config as Record<string, unknown>, depth)
      const merged = mergeLists(schema as Schema, live as unknown[], config as unknown[], depth)
      return jsonEqual(merged, live) ? live : merged
    }
  }
  return jsonEqual(live, config) ? live : config
}

/** The live object with the configuration laid over it. Changes neither; shares with both. */
export const mergeConfiguration = <T extends object>(schema: Schema | undefined, live: T, config: object): T =>
  mergeValue(schema, live, config, 0) as T
