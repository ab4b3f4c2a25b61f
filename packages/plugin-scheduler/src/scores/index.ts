import type { BuiltInScore } from './built-in.ts'
import { podAffinityPreference } from './pod-affinity.ts'
import { affinityPreference, taintPreference } from './preferences.ts'
import { balanced, leastAllocated } from './resources.ts'
import { spread } from './spread.ts'

/** The scheduler's own scorers. */
export const builtInScores: readonly BuiltInScore[] = [
  leastAllocated,
  balanced,
  spread,
  taintPreference,
  affinityPreference,
  podAffinityPreference,
]
