/** Units of cost, with Kubernetes' own figures. What a definition's rules may be estimated at, each and together. */
export const maxRuleEstimate = 10_000_000
export const maxTotalEstimate = 100_000_000

/** What one expression, and all rules of one object together, may cost when they run. */
export const maxRuleCost = 1_000_000
export const maxObjectCost = 10_000_000

/** How much too much it is, in Kubernetes' words: `18.1x`. */
export function factorOf(cost: number, limit: number): string {
  const factor = cost / limit
  if (factor > 100) return 'more than 100x'
  return factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`
}
