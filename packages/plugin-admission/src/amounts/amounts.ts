import { addQuantities, type ExactQuantity, formatQuantity, parseQuantity, type Quantity, subtractQuantities } from '@continuo/lib-quantity'

/** How much of each named resource. Names come from users, so this is a map and no record. */
export type Amounts = ReadonlyMap<string, ExactQuantity>

/** Quantities as objects carry them. What cannot be read is left out: validation names it. */
export type Quantities = Readonly<Record<string, Quantity>> | undefined

export const one: ExactQuantity = parseQuantity('1')
export const none: ExactQuantity = parseQuantity('0')

export function amountsOf(quantities: Quantities): Map<string, ExactQuantity> {
  const amounts = new Map<string, ExactQuantity>()
  for (const [name, quantity] of Object.entries(quantities ?? {})) amounts.set(name, parseQuantity(quantity))
  return amounts
}

/** Adds to `into`, which is changed and returned. */
export function addTo(into: Map<string, ExactQuantity>, more: Amounts): Map<string, ExactQuantity> {
  for (const [name, amount] of more) {
    const known = into.get(name)
    into.set(name, known === undefined ? amount : addQuantities(known, amount))
  }
  return into
}

/** The larger of each, in `into`, which is changed and returned. */
export function raiseTo(into: Map<string, ExactQuantity>, other: Amounts): Map<string, ExactQuantity> {
  for (const [name, amount] of other) {
    const known = into.get(name)
    if (known === undefined || amount.nano > known.nano) into.set(name, amount)
  }
  return into
}

/** What `next` has more than `before`, where it has more. */
export function growth(next: Amounts, before: Amounts): Map<string, ExactQuantity> {
  const more = new Map<string, ExactQuantity>()
  for (const [name, amount] of next) {
    const difference = subtractQuantities(amount, before.get(name) ?? none)
    if (difference.nano > 0n) more.set(name, { ...difference, format: amount.format })
  }
  return more
}

/** As objects carry them, in the canonical text. */
export const quantitiesOf = (amounts: Amounts): Record<string, Quantity> =>
  Object.fromEntries([...amounts].map(([name, amount]) => [name, formatQuantity(amount)]))

/** `cpu=1,pods=2`: for messages, sorted by name. */
export const listed = (amounts: Amounts): string =>
  [...amounts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, amount]) => `${name}=${formatQuantity(amount)}`)
    .join(',')
