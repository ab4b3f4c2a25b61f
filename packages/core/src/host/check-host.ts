import type { AnyCapability } from '../capability/capability.ts'
import type { HostRole } from '../plugin/plugin.ts'
import { type CheckedSlot, checkSlot, type SlotSpec } from './checked-slot.ts'
import { buildGraph, type PluginGraph } from './graph.ts'
import type { Problem } from './problem.ts'

export interface HostCheckInput {
  readonly role: HostRole
  readonly slots: readonly SlotSpec[]
  /** Capabilities that come from outside of the plugins. A plugin that provides one of them is a duplicate. */
  readonly inherited: readonly AnyCapability[]
  /** Capabilities that the host itself brings unless a plugin does. */
  readonly defaults: readonly AnyCapability[]
  /** Capabilities that every plugin uses through its context. */
  readonly implicit: readonly AnyCapability[]
  /** Slots that a config file removed with `null`, and what they provided: for hints. */
  readonly removed?: readonly {
    readonly slot: string
    readonly provides: readonly AnyCapability[]
  }[]
}

export interface HostCheck {
  readonly slots: readonly CheckedSlot[]
  readonly graph: PluginGraph
  readonly problems: readonly Problem[]
}

function checkProviders(input: HostCheckInput, slots: readonly CheckedSlot[]): Problem[] {
  const problems: Problem[] = []
  const inherited = new Set(input.inherited.map((capability) => capability.key))
  const owners = new Map<symbol, string>()
  for (const { slot, provides } of slots) {
    for (const capability of provides) {
      if (capability.cardinality === 'many') continue
      const owner = owners.get(capability.key) ?? (inherited.has(capability.key) ? 'what the host inherits' : undefined)
      if (owner !== undefined && owner !== slot) {
        problems.push({
          code: 'CAPABILITY_DUPLICATE',
          path: `plugins.${slot}`,
          message: `${capability.id} is provided by ${owner} and by ${slot}`,
          hint: 'remove one of the two slots',
        })
      }
      owners.set(capability.key, owner ?? slot)
    }
  }
  return problems
}

function checkRequirements(input: HostCheckInput, slots: readonly CheckedSlot[]): Problem[] {
  if (slots.some((slot) => slot.providesUnknown)) return []
  const provided = new Set(
    [...slots.flatMap((slot) => slot.provides), ...input.inherited, ...input.defaults].map((capability) => capability.key),
  )
  return slots.flatMap(({ slot, requires }) =>
    Object.values(requires)
      .filter((capability) => capability.cardinality === 'one' && !provided.has(capability.key))
      .map((capability): Problem => {
        const removed = input.removed?.find((gone) => gone.provides.some((had) => had.key === capability.key))
        return {
          code: 'CAPABILITY_MISSING',
          path: `plugins.${slot}`,
          message: `${slot} needs ${capability.id}, which nothing provides`,
          hint:
            removed === undefined
              ? `add a plugin that provides ${capability.id}`
              : `slot ${removed.slot}, which was removed, provided it: fill it again or remove ${slot} too`,
        }
      }),
  )
}

/** Every fault of a host's plugins at once, without running any of them. */
export async function checkHost(input: HostCheckInput): Promise<HostCheck> {
  const names = new Set<string>()
  const problems: Problem[] = []
  for (const { slot } of input.slots) {
    if (names.has(slot))
      problems.push({
        code: 'SLOT_DUPLICATE',
        path: `plugins.${slot}`,
        message: `slot ${slot} is filled twice`,
      })
    names.add(slot)
  }
  const results = await Promise.all(input.slots.map((spec) => checkSlot(spec, input.role)))
  const slots = results.map((result) => result.checked)
  const { graph, problems: cycles } = buildGraph(slots, input.implicit)
  problems.push(
    ...results.flatMap((result) => result.problems),
    ...checkProviders(input, slots),
    ...checkRequirements(input, slots),
    ...cycles,
  )
  return { slots, graph, problems }
}
