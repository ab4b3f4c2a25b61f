/** A priority level as far as sharing seats goes. */
export interface ShareTerms {
  /** `nominalConcurrencyShares`. */
  readonly shares: number
  readonly lendablePercent: number
  /** Unset: it may borrow whatever others lend. */
  readonly borrowingLimitPercent?: number
}

/** Seats that a level may have. */
export interface SeatRange {
  readonly nominal: number
  /** What is left to it when it has lent all that it may. */
  readonly lower: number
  readonly upper: number
}

/** Shares of the seats of the server, by level. Rounded up, so that the smallest level has one. Pure. */
export function shareSeats(levels: ReadonlyMap<string, ShareTerms>, total: number): ReadonlyMap<string, SeatRange> {
  let sum = 0
  for (const { shares } of levels.values()) sum += shares
  const ranges = new Map<string, SeatRange>()
  for (const [name, { shares, lendablePercent, borrowingLimitPercent }] of levels) {
    const nominal = sum === 0 ? 0 : Math.ceil((total * shares) / sum)
    const lower = nominal - Math.round((nominal * lendablePercent) / 100)
    const upper = borrowingLimitPercent === undefined ? total : nominal + Math.round((nominal * borrowingLimitPercent) / 100)
    ranges.set(name, { nominal, lower, upper: Math.max(nominal, upper) })
  }
  return ranges
}

/** What a level has asked for since seats were last shared out. */
export interface Demand {
  /** Most seats that were in use or waited for at one time. */
  readonly high: number
  /** Average plus standard deviation, smoothed over several periods. */
  readonly smooth: number
}

const steps = 60

/**
 * Shares seats out by what is needed: each level keeps what it used of its own, what it does not need goes to those that ask for more,
 * in proportion to what they ask. The factor by which all wishes are scaled is found by halving, as no formula has all limits in it. Pure.
 */
export function lendSeats(
  ranges: ReadonlyMap<string, SeatRange>,
  demands: ReadonlyMap<string, Demand>,
  total: number,
): ReadonlyMap<string, number> {
  const wishes = [...ranges].map(([name, { nominal, lower, upper }]) => {
    const { high = 0, smooth = 0 } = demands.get(name) ?? {}
    // Seats that were used in the last period are not lent away in the next.
    const least = Math.max(lower, Math.min(nominal, high))
    return { name, least, most: Math.max(least, upper), target: Math.max(least, smooth) }
  })
  const granted = (factor: number): number =>
    wishes.reduce((sum, { least, most, target }) => sum + Math.max(least, Math.min(most, factor * target)), 0)
  const available = Math.max(
    total,
    wishes.reduce((sum, { least }) => sum + least, 0),
  )
  let low = 0
  let high = 1
  while (granted(high) < available && high < 1e9) high *= 2
  for (let step = 0; step < steps; step++) {
    const middle = (low + high) / 2
    if (granted(middle) > available) high = middle
    else low = middle
  }
  return new Map(
    wishes.map(({ name, least, most, target }) => [name, Math.max(1, Math.round(Math.max(least, Math.min(most, low * target))))]),
  )
}

/** How much of the last period's wish counts in the next. */
const memory = 0.977

/** Average plus standard deviation of samples, never falling faster than by little: a burst that comes every minute finds its seats. Pure. */
export function smoothDemand(samples: readonly number[], before: number): number {
  if (samples.length === 0) return before * memory
  const average = samples.reduce((sum, one) => sum + one, 0) / samples.length
  const variance = samples.reduce((sum, one) => sum + (one - average) ** 2, 0) / samples.length
  const envelope = average + Math.sqrt(variance)
  return Math.max(envelope, memory * before + (1 - memory) * envelope)
}
