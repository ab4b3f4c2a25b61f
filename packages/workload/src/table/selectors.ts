import { type DeepReadonly, formatLabelSelector, labelSelectorRequirements } from '@continuo/core'
import type { Container } from '../generated/types/core-v1.ts'
import type { LabelSelector } from '../generated/types/meta-v1.ts'
import { orNone } from './columns.ts'

/** A selector as a column shows it: `app=web,tier in (a,b)`. */
export function selectorCell(selector: DeepReadonly<LabelSelector> | undefined): string {
  try {
    const requirements = labelSelectorRequirements(selector as LabelSelector | undefined)
    return requirements === undefined ? '<none>' : orNone(formatLabelSelector(requirements))
  } catch {
    // One object that slipped past validation must not spoil the list of all.
    return '<invalid>'
  }
}

/** Labels as a column shows them, in order of their keys. */
export const labelsCell = (labels: DeepReadonly<Record<string, string>> | undefined): string =>
  orNone(
    Object.entries(labels ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  )

export const containerNames = (containers: DeepReadonly<Container[]> | undefined): string =>
  (containers ?? []).map((container) => container.name).join(',')
export const containerImages = (containers: DeepReadonly<Container[]> | undefined): string =>
  (containers ?? []).map((container) => container.image ?? '').join(',')
