import type { AdmissionRequest, DeepReadonly, UnstructuredObject } from '@continuo/core'
import type { ScopedResourceSelectorRequirement } from '@continuo/workload'
import type { Amounts } from '../amounts/amounts.ts'
import { claimEvaluator } from './usage/claims.ts'
import { objectEvaluator } from './usage/objects.ts'
import { podEvaluator } from './usage/pods.ts'
import { serviceEvaluator } from './usage/services.ts'

export type QuotaObject = DeepReadonly<UnstructuredObject>
export type Scope = DeepReadonly<ScopedResourceSelectorRequirement>

/** How objects of one resource are counted by quotas. Pure. */
export interface Evaluator {
  /** True for requests that can make the object count for more. */
  handles(request: Pick<AdmissionRequest, 'operation' | 'subresource'>): boolean
  /** True for names in `hard` that this resource counts for. */
  counts(name: string): boolean
  usage(object: QuotaObject, now: number): Amounts
  /** Absent: no scope ever matches. */
  inScope?(scope: Scope, object: QuotaObject): boolean
  /** What the object must say because a quota limits it: a sentence, or undefined when nothing is missing. */
  missing?(names: readonly string[], object: QuotaObject): string | undefined
}

const own: Readonly<Record<string, Evaluator>> = { pods: podEvaluator, services: serviceEvaluator, persistentvolumeclaims: claimEvaluator }

/** Events come and go by themselves and never count. */
const uncounted = (group: string, plural: string): boolean => plural === 'events' && (group === '' || group === 'events.k8s.io')

/** The evaluator of a resource; undefined when none of its objects ever count. */
export function evaluatorOf(group: string, plural: string): Evaluator | undefined {
  if (uncounted(group, plural)) return undefined
  return (group === '' && Object.hasOwn(own, plural) ? own[plural] : undefined) ?? objectEvaluator(group, plural)
}
