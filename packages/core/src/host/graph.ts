import type { AnyCapability } from '../capability/capability.ts'
import type { CheckedSlot } from './checked-slot.ts'
import type { Problem } from './problem.ts'

/** Who needs whom. Hard edges order setup and carry restarts; soft ones order setup only where that closes no circle. */
export interface PluginGraph {
  /** Providers before consumers. */
  readonly order: readonly string[]
  /** Slots whose providers a slot requires, with the capability that makes the edge. */
  readonly needs: ReadonlyMap<string, ReadonlyMap<string, string>>
}

type Edges = Map<string, Map<string, string>>

const providersOf = (capability: AnyCapability, slots: readonly CheckedSlot[]): readonly CheckedSlot[] =>
  slots.filter((slot) => slot.provides.some((provided) => provided.key === capability.key))

function reaches(edges: Edges, from: string, to: string, seen = new Set<string>()): boolean {
  if (from === to) return true
  if (seen.has(from)) return false
  seen.add(from)
  return [...(edges.get(from)?.keys() ?? [])].some((next) => reaches(edges, next, to, seen))
}

/** A circle as the slots along it, first and last the same, or nothing. */
function findCycle(edges: Edges): readonly string[] | undefined {
  const done = new Set<string>()
  const visit = (slot: string, path: readonly string[]): readonly string[] | undefined => {
    const at = path.indexOf(slot)
    if (at >= 0) return [...path.slice(at), slot]
    if (done.has(slot)) return undefined
    for (const next of [...(edges.get(slot)?.keys() ?? [])].sort()) {
      const cycle = visit(next, [...path, slot])
      if (cycle !== undefined) return cycle
    }
    done.add(slot)
    return undefined
  }
  for (const slot of [...edges.keys()].sort()) {
    const cycle = visit(slot, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}

/** Depth first, in the order of names: stable, whatever the order of the config file. */
function sort(edges: Edges): readonly string[] {
  const order: string[] = []
  const seen = new Set<string>()
  const visit = (slot: string): void => {
    if (seen.has(slot)) return
    seen.add(slot)
    for (const next of [...(edges.get(slot)?.keys() ?? [])].sort()) visit(next)
    order.push(slot)
  }
  for (const slot of [...edges.keys()].sort()) visit(slot)
  return order
}

/**
 * Builds the graph of a host's slots; a circle is a problem that names its path.
 * Slots with kinds are set up early too, and stopped late.
 * @param implicit Capabilities that every plugin uses without saying so, through its context: their providers are set up early.
 */
export function buildGraph(
  slots: readonly CheckedSlot[],
  implicit: readonly AnyCapability[],
): { readonly graph: PluginGraph; readonly problems: readonly Problem[] } {
  const needs: Edges = new Map(slots.map((slot) => [slot.slot, new Map()]))
  const soft: [consumer: string, provider: string, id: string][] = []
  for (const capability of implicit) {
    for (const provider of providersOf(capability, slots)) for (const { slot } of slots) soft.push([slot, provider.slot, capability.id])
  }
  // Whoever watches a kind begins after its kind was added and ends before it goes.
  for (const provider of slots.filter((slot) => slot.kinds.length > 0))
    for (const { slot } of slots) soft.push([slot, provider.slot, 'kinds'])
  for (const slot of slots) {
    for (const required of Object.values(slot.requires)) {
      for (const provider of providersOf(required, slots)) {
        if (required.cardinality === 'many') soft.push([slot.slot, provider.slot, required.id])
        else if (provider !== slot) needs.get(slot.slot)?.set(provider.slot, required.id)
      }
    }
  }
  const cycle = findCycle(needs)
  if (cycle !== undefined) {
    const path = cycle.map((slot, at) => (at === 0 ? slot : `${slot} (${needs.get(cycle[at - 1] ?? '')?.get(slot)})`)).join(' → ')
    return {
      graph: { order: slots.map((slot) => slot.slot), needs },
      problems: [
        {
          code: 'PLUGIN_CYCLE',
          path: `plugins.${cycle[0]}`,
          message: `plugins require each other in a circle: ${path}`,
          hint: 'break it with an object, an event or a hook point',
        },
      ],
    }
  }
  const edges: Edges = new Map([...needs].map(([slot, providers]) => [slot, new Map(providers)]))
  for (const [consumer, provider, id] of soft) {
    if (!reaches(edges, provider, consumer)) edges.get(consumer)?.set(provider, id)
  }
  return { graph: { order: sort(edges), needs }, problems: [] }
}

/** The slot itself and every slot that requires it, directly or not, in setup order. */
export function dependentsOf(graph: PluginGraph, slot: string): readonly string[] {
  const affected = new Set([slot])
  for (const name of graph.order) {
    if ([...(graph.needs.get(name)?.keys() ?? [])].some((provider) => affected.has(provider))) affected.add(name)
  }
  return graph.order.filter((name) => affected.has(name))
}
