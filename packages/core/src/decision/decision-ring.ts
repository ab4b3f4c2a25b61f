import type { Clock } from '../clock/clock.ts'
import type { Random } from '../random/random.ts'
import type { Decision, DecisionLog } from './decision.ts'

export interface DecisionRingOptions {
  readonly clock: Clock
  readonly random: Random
  /** Decisions that are kept; the oldest one makes room. Default 10,000. */
  readonly capacity?: number
}

/** The decisions of one process, newest last. Ids are unique across processes, because causes travel between them. */
export function createDecisionLog(options: DecisionRingOptions): DecisionLog {
  const capacity = options.capacity ?? 10_000
  const process = options.random.suffix(6)
  // A Map keeps insertion order: its first key is the oldest decision.
  const decisions = new Map<string, Decision>()
  let count = 0
  return {
    record(decision) {
      count += 1
      const id = `${process}-${count}`
      decisions.set(id, Object.freeze({ ...decision, id, time: options.clock.now() }))
      if (decisions.size > capacity) {
        for (const oldest of decisions.keys()) {
          decisions.delete(oldest)
          break
        }
      }
      return id
    },
    about: (object) =>
      [...decisions.values()].filter(
        (decision) =>
          decision.object.kind === object.kind && decision.object.namespace === object.namespace && decision.object.name === object.name,
      ),
    byId: (id) => decisions.get(id),
    all: () => [...decisions.values()],
  }
}
