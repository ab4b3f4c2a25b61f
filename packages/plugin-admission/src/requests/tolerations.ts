import { jsonEqual } from '@continuo/core'
import type { Toleration } from '@continuo/workload'

/** Both lists in one, without what another toleration bears as well. Pure. */
export function mergeTolerations(first: readonly Toleration[], second: readonly Toleration[]): Toleration[] {
  const all = [...first, ...second]
  return all.filter(
    (each, index) => !all.some((other, at) => at !== index && bearsAll(other, each) && (!jsonEqual(other, each) || at < index)),
  )
}

/** True when `wide` bears everything that `narrow` does. */
function bearsAll(wide: Toleration, narrow: Toleration): boolean {
  if (jsonEqual(wide, narrow)) return true
  const [exists, otherExists] = [wide.operator === 'Exists', narrow.operator === 'Exists']
  if (wide.key !== narrow.key && !(!wide.key && exists)) return false
  if (wide.effect && wide.effect !== narrow.effect) return false
  const { tolerationSeconds: long } = wide
  if (long !== undefined && (narrow.tolerationSeconds === undefined || narrow.tolerationSeconds > long)) return false
  return exists || (!otherExists && (wide.value ?? '') === (narrow.value ?? ''))
}
