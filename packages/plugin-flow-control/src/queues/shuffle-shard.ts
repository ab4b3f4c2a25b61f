import { createHash } from 'node:crypto'

/** A number of 64 bits that belongs to the flow: the same for each of its requests. Pure. */
export function hashFlow(schema: string, distinguisher: string): bigint {
  const digest = createHash('sha256').update(schema).update('\0').update(distinguisher).digest()
  return digest.readBigUInt64LE(0)
}

/**
 * The queues of a flow: `size` different ones of `deck`, dealt by its hash as cards are. Two flows seldom share all of them,
 * so one that floods its own leaves every other flow a queue that is short. Pure.
 */
export function dealHand(hash: bigint, deck: number, size: number): readonly number[] {
  const cards = Array.from({ length: deck }, (_, card) => card)
  const hand: number[] = []
  let rest = hash
  for (let dealt = 0; dealt < Math.min(size, deck); dealt++) {
    const left = BigInt(deck - dealt)
    const picked = Number(rest % left)
    rest /= left
    hand.push(cards[picked] as number)
    // The last card of what is left takes the place of the one that was dealt.
    cards[picked] = cards[deck - dealt - 1] as number
  }
  return hand
}
