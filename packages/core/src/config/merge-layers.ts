import type { ElectionOptions } from '../leader/election-options.ts'
import type { HostRole } from '../plugin/plugin.ts'
import type { ClusterLayer, SlotLayer, Use } from './cluster-source.ts'

/** Layers in one, before anything is imported. */
export interface MergedCluster {
  readonly name?: string
  readonly roles?: readonly HostRole[]
  readonly leaderElection?: boolean | ElectionOptions
  readonly plugins: ReadonlyMap<string, SlotLayer>
  /** Slots that a layer removed and none filled again, as they were. */
  readonly removed: ReadonlyMap<string, SlotLayer>
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** Maps merge, everything else replaces. A key of `null` replaces by null. */
export function mergeValues(base: unknown, over: unknown): unknown {
  if (over === undefined) return base
  if (!isMap(base) || !isMap(over)) return over
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) merged[key] = mergeValues(base[key], value)
  return merged
}

const sameUse = (a: Use, b: Use): boolean =>
  'plugin' in a || 'plugin' in b ? 'plugin' in a && 'plugin' in b && a.plugin === b.plugin : a.specifier === b.specifier

/** A layer over an inherited slot: another `use` drops the inherited `with` and keeps `roles`. */
function mergeSlot(base: SlotLayer | undefined, over: SlotLayer): SlotLayer {
  if (base === undefined) return over
  const changed = over.use !== undefined && base.use !== undefined && !sameUse(base.use, over.use)
  return {
    use: over.use ?? base.use,
    with: changed ? over.with : mergeValues(base.with, over.with),
    roles: over.roles ?? base.roles,
  }
}

/** @param layers The base first. */
export function mergeLayers(layers: readonly ClusterLayer[]): MergedCluster {
  const plugins = new Map<string, SlotLayer>()
  const removed = new Map<string, SlotLayer>()
  let merged: Omit<MergedCluster, 'plugins' | 'removed'> = {}
  for (const layer of layers) {
    merged = {
      name: layer.name ?? merged.name,
      roles: layer.roles ?? merged.roles,
      leaderElection: mergeValues(merged.leaderElection, layer.leaderElection) as MergedCluster['leaderElection'],
    }
    for (const [slot, over] of layer.plugins) {
      const base = plugins.get(slot)
      if (over === null) {
        if (base !== undefined) removed.set(slot, base)
        plugins.delete(slot)
      } else {
        removed.delete(slot)
        plugins.set(slot, mergeSlot(base, over))
      }
    }
  }
  return { ...merged, plugins, removed }
}
