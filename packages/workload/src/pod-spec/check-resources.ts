import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import { compareQuantities, isQuantity } from '@continuo/lib-quantity'
import type { ResourceRequirements } from '../generated/types/core-v1.ts'
import { checkAmounts } from '../rules/values.ts'

const standard = new Set(['cpu', 'memory', 'ephemeral-storage'])
const isHugePages = (name: string): boolean => name.startsWith('hugepages-')
/** Resources of others (`example.com/gpu`) cannot be shared beyond what was asked for. */
const isExtended = (name: string): boolean => !standard.has(name) && !isHugePages(name)

/** Limits and requests of a container: known names, valid amounts, no request above its limit. */
export function checkResources(resources: DeepReadonly<ResourceRequirements> | undefined, path: string, errors: FieldError[]): void {
  if (resources === undefined) return
  for (const group of ['limits', 'requests'] as const) {
    checkAmounts(resources[group], `${path}.${group}`, errors)
    for (const name of Object.keys(resources[group] ?? {})) {
      if (isExtended(name) && !name.includes('/'))
        errors.push(fieldError.invalid(`${path}.${group}[${name}]`, name, 'must be a standard resource for containers'))
    }
  }
  for (const [name, request] of Object.entries(resources.requests ?? {})) {
    const limit = resources.limits?.[name]
    if (limit === undefined) {
      if (isExtended(name) && name.includes('/'))
        errors.push(fieldError.required(`${path}.limits`, 'Limit must be set for non overcommitable resources'))
      continue
    }
    if (!isQuantity(request) || !isQuantity(limit)) continue
    const order = compareQuantities(request, limit)
    if (order > 0) errors.push(fieldError.invalid(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`))
    else if (order < 0 && (isExtended(name) || isHugePages(name)))
      errors.push(fieldError.invalid(`${path}.requests`, request, `must be equal to ${name} limit of ${limit}`))
  }
}
