import type { AnyCapability, Cardinality } from '../capability/capability.ts'
import type { Hooks } from '../hooks/hook.ts'
import type { HostRole } from '../plugin/plugin.ts'
import type { CheckedSlot } from './checked-slot.ts'
import type { PluginGraph } from './graph.ts'

export interface PlannedCapability {
  readonly id: string
  readonly cardinality: Cardinality
  readonly swappable: boolean
}

export interface PlannedRequirement {
  readonly id: string
  readonly cardinality: Cardinality
  /** Slots that provide it, or `host` for what the host inherits or brings itself. Empty for an optional one that nobody provides. */
  readonly from: readonly string[]
}

export interface PlannedPlugin {
  readonly slot: string
  readonly plugin: string
  readonly requires: readonly PlannedRequirement[]
  readonly provides: readonly PlannedCapability[]
  /** `widgets.demo.io`. */
  readonly kinds: readonly string[]
  readonly taps: readonly string[]
}

/** The graph of one host as data: what is where, who needs whom, who taps what. */
export interface Plan {
  readonly host: string
  readonly role: HostRole
  /** In setup order. */
  readonly plugins: readonly PlannedPlugin[]
  readonly hooks: readonly {
    readonly hook: string
    readonly taps: readonly {
      readonly slot: string
      readonly stage?: string
    }[]
  }[]
}

export interface PlanInput {
  readonly host: string
  readonly role: HostRole
  readonly slots: readonly CheckedSlot[]
  readonly graph: PluginGraph
  readonly given: readonly AnyCapability[]
  /** Taps of a running host; before that, what plugins declare. */
  readonly hooks?: ReturnType<Hooks['describe']>
}

/** Pure: a plan of what was checked. */
export function makePlan(input: PlanInput): Plan {
  const given = new Set(input.given.map((capability) => capability.key))
  const from = (capability: AnyCapability): readonly string[] => {
    const slots = input.slots.filter((slot) => slot.provides.some((provided) => provided.key === capability.key)).map((slot) => slot.slot)
    return slots.length === 0 && given.has(capability.key) ? ['host'] : slots
  }
  const bySlot = new Map(input.slots.map((slot) => [slot.slot, slot]))
  const ordered = input.graph.order.flatMap((name) => bySlot.get(name) ?? [])
  const declared = [...new Set(ordered.flatMap((slot) => slot.taps.map((hook) => hook.id)))].sort().map((hook) => ({
    hook,
    taps: ordered.filter((slot) => slot.taps.some((tap) => tap.id === hook)).map((slot) => ({ slot: slot.slot })),
  }))
  return {
    host: input.host,
    role: input.role,
    plugins: ordered.map((slot) => ({
      slot: slot.slot,
      plugin: slot.plugin.name,
      requires: Object.values(slot.requires).map((capability) => ({
        id: capability.id,
        cardinality: capability.cardinality,
        from: from(capability),
      })),
      provides: slot.provides.map(({ id, cardinality, swappable }) => ({
        id,
        cardinality,
        swappable,
      })),
      kinds: slot.kinds.map((kind) => (kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`)),
      taps: slot.taps.map((hook) => hook.id),
    })),
    hooks:
      input.hooks?.map(({ hook, taps }) => ({
        hook,
        taps: taps.map(({ plugin, stage }) => ({ slot: plugin, stage })),
      })) ?? declared,
  }
}

/** The plan for people, in setup order. */
export function formatPlan(plan: Plan): string {
  const lines = [`host ${plan.host} (${plan.role}), ${plan.plugins.length} plugins in order of setup`]
  for (const plugin of plan.plugins) {
    lines.push('', `${plugin.slot}  (${plugin.plugin})`)
    for (const { id, cardinality, from } of plugin.requires) {
      lines.push(
        `  needs     ${id}${cardinality === 'one' ? '' : ` (${cardinality})`} from ${from.length === 0 ? 'nobody' : from.join(', ')}`,
      )
    }
    for (const { id, swappable } of plugin.provides) lines.push(`  provides  ${id}${swappable ? ' (swappable)' : ''}`)
    if (plugin.kinds.length > 0) lines.push(`  kinds     ${plugin.kinds.join(', ')}`)
  }
  if (plan.hooks.length > 0) lines.push('', 'hooks')
  for (const { hook, taps } of plan.hooks) {
    lines.push(
      `  ${hook}: ${taps.map(({ slot, stage }) => (stage === undefined || stage === 'main' ? slot : `${slot} (${stage})`)).join(' → ')}`,
    )
  }
  return `${lines.join('\n')}\n`
}

const quoted = (text: string): string => `"${text.replaceAll('"', '#quot;')}"`

/** The plan as a Mermaid flowchart: an arrow goes from a consumer to its provider and is labelled with the capability; dotted ones are taps. */
export function planToMermaid(plan: Plan): string {
  const ids = new Map(plan.plugins.map((plugin, at) => [plugin.slot, `p${at}`]))
  const lines = ['flowchart LR']
  for (const plugin of plan.plugins)
    lines.push(`  ${ids.get(plugin.slot)}[${quoted(plugin.slot === plugin.plugin ? plugin.slot : `${plugin.slot}: ${plugin.plugin}`)}]`)
  if (plan.plugins.some((plugin) => plugin.requires.some((required) => required.from.includes('host')))) lines.push('  host([host])')
  for (const plugin of plan.plugins) {
    for (const required of plugin.requires) {
      for (const from of required.from) lines.push(`  ${ids.get(plugin.slot)} -->|${quoted(required.id)}| ${ids.get(from) ?? 'host'}`)
    }
  }
  plan.hooks.forEach(({ hook, taps }, at) => {
    lines.push(`  h${at}{{${quoted(hook)}}}`)
    for (const { slot } of taps) if (ids.has(slot)) lines.push(`  ${ids.get(slot)} -.-> h${at}`)
  })
  return `${lines.join('\n')}\n`
}
