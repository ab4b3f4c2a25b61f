import { ApiError, type Clock, type DeepReadonly, type UserInfo } from '@continuo/core'
import type { FlowController, FlowDetails, FlowPath, FlowPlace, FlowSchema, PriorityLevelConfiguration } from '@continuo/workload'
import { Classifier, inOrder } from './classify/classifier.ts'
import { FlowCounts, type FlowMetrics, type RejectReason } from './flow-metrics.ts'
import { Capacity } from './levels/capacity.ts'
import { ListWidths } from './levels/list-widths.ts'
import { PriorityLevel, type Waiting } from './levels/priority-level.ts'
import { lendSeats, type SeatRange, shareSeats, smoothDemand } from './levels/share-seats.ts'
import { hashFlow } from './queues/shuffle-shard.ts'

export interface FairFlowOptions {
  readonly clock: Clock
  readonly metrics: FlowMetrics
  /** Seats of the whole server. */
  readonly seats: number
  /** Longest time in a queue. */
  readonly waitMs: number
  /** How long one turn of the event loop may take before fewer requests run in it. */
  readonly turnMs: number
}

/** A flow schema with its level, ready to be used. */
interface Flow {
  readonly uid: string
  readonly name: string
  readonly distinguisher: string | undefined
  readonly level: Level
  readonly counts: FlowCounts
}

/** A request in a queue. */
interface Pending {
  readonly flow: Flow
  readonly hash: bigint
  readonly path: FlowPath
  admit(waited: Waiting<Pending>): void
  refuse(reason: RejectReason): void
}

type Level = PriorityLevel<Pending>

/** Ticks between two times that seats are lent anew: ten seconds. */
const ticksPerPeriod = 40
/** Milliseconds between two calls of {@link FairFlowController.tick}. */
export const tickMs = 250

const distinguish = ({ distinguisher }: Flow, user: UserInfo, path: FlowPath): string =>
  distinguisher === 'ByUser' ? user.username : distinguisher === 'ByNamespace' && path.isResource ? path.namespace : ''

const refusal = (flow: Flow, reason: RejectReason): ApiError =>
  new ApiError(
    'TooManyRequests',
    'too many requests, please try again',
    { retryAfterSeconds: 1 },
    { hint: `priority level ${flow.level.name}, flow schema ${flow.name}: ${reason}` },
  )

/**
 * Priority and fairness: classifies each request, gives it a seat of its level or a place in one of its flow's queues.
 * Holds no timers of its own: {@link tick} is called from outside.
 */
export class FairFlowController implements FlowController {
  readonly #options: FairFlowOptions
  readonly #capacity: Capacity
  readonly #widths = new ListWidths()
  readonly #levels = new Map<string, Level>()
  /** Levels whose object is gone while requests of theirs still run or wait. */
  readonly #retiring = new Set<Level>()
  /** Seats that each level has on a healthy server. */
  #granted: ReadonlyMap<string, number> = new Map()
  #ranges: ReadonlyMap<string, SeatRange> = new Map()
  readonly #samples = new Map<string, number[]>()
  readonly #smooth = new Map<string, number>()
  #classifier: Classifier<Flow> | undefined
  #flows: readonly Flow[] = []
  #ticks = 0
  /** When the turn began in which a seat was first taken; undefined: none is under way. */
  #turnBegan: number | undefined

  constructor(options: FairFlowOptions) {
    this.#options = options
    this.#capacity = new Capacity(options.turnMs)
  }

  /** Takes over schemas and levels; those mandatory must be among them. Requests that run or wait stay. */
  configure(schemas: readonly DeepReadonly<FlowSchema>[], levels: readonly DeepReadonly<PriorityLevelConfiguration>[]): void {
    const wanted = new Map(levels.map((level) => [level.metadata.name ?? '', level]))
    for (const [name, level] of this.#levels) {
      if (wanted.has(name)) continue
      level.retired = true
      this.#levels.delete(name)
      this.#retiring.add(level)
    }
    for (const [name, configuration] of wanted) {
      const known = this.#levels.get(name)
      if (known === undefined) this.#levels.set(name, new PriorityLevel<Pending>(configuration))
      else for (const pending of known.reconfigure(configuration, ({ hash }) => hash)) pending.refuse('queue-full')
    }
    this.#tellCounts()
    const flows = inOrder(schemas).flatMap((schema) => {
      const level = this.#levels.get(schema.spec?.priorityLevelConfiguration.name ?? '')
      return level === undefined ? [] : [{ schema, target: flowOf(schema, level) }]
    })
    this.#flows = flows.map(({ target }) => target)
    const fallback = this.#flows.find(({ name }) => name === 'catch-all') ?? (this.#flows.at(-1) as Flow)
    this.#classifier = new Classifier(flows, fallback)
    this.#ranges = shareSeats(new Map([...this.#levels].map(([name, level]) => [name, level.terms])), this.#options.seats)
    this.#lend()
  }

  enter(user: UserInfo, verb: string, path: FlowPath, details: FlowDetails): FlowPlace | Promise<FlowPlace> {
    const flow = (this.#classifier as Classifier<Flow>).classify(user, verb, path)
    const { level } = flow
    const width = verb === 'list' && !level.isExempt ? this.#widths.estimate(path, details.query) : 1
    if (level.isExempt || level.take(width)) {
      flow.counts.dispatched++
      if (this.#turnBegan === undefined) this.#beginTurn()
      return new Place(this, flow, path, width, undefined, 0)
    }
    return this.#wait(flow, user, path, width, details)
  }

  /** Called by places. */
  leave(place: Place): void {
    const { flow, width, waited, began } = place
    const { level } = flow
    level.leave(width, waited, waited === undefined ? 0 : this.#options.clock.monotonic() - began)
    if (this.#turnBegan === undefined) this.#beginTurn()
  }

  /** Called by places. */
  listed(path: FlowPath, objects: number): void {
    this.#widths.listed(path, objects)
  }

  /** To be called every {@link tickMs}: refuses what has waited too long, lends seats anew, tells metrics. */
  tick(): void {
    const { clock, waitMs, metrics } = this.#options
    for (const level of this.#all()) for (const pending of level.expire(clock.monotonic() - waitMs)) pending.refuse('time-out')
    for (const level of this.#retiring) if (level.isIdle) this.#retiring.delete(level)
    // Nobody had a turn for a while: nothing is overloaded.
    if (this.#turnBegan === undefined && this.#capacity.observe(0, false)) this.#applyCapacity()
    for (const [name, level] of this.#levels) {
      const samples = this.#samples.get(name) ?? []
      if (samples.length === 0) this.#samples.set(name, samples)
      samples.push(level.takePeak())
    }
    if (++this.#ticks % ticksPerPeriod === 0) this.#lend()
    this.#tellCounts()
    metrics.capacity(this.#capacity.ratio)
    for (const [name, level] of this.#levels)
      metrics.level({
        name,
        running: level.running,
        seatsInUse: level.seatsInUse,
        waiting: level.waiting,
        limit: level.limit,
        range: this.#ranges.get(name) as SeatRange,
        smoothDemand: this.#smooth.get(name) ?? 0,
      })
  }

  *#all(): Generator<Level> {
    yield* this.#levels.values()
    yield* this.#retiring
  }

  #wait(flow: Flow, user: UserInfo, path: FlowPath, width: number, { signal }: FlowDetails): Promise<FlowPlace> {
    const { clock, metrics } = this.#options
    const { level, counts } = flow
    const since = clock.monotonic()
    const hash = hashFlow(flow.name, distinguish(flow, user, path))
    const { promise, resolve, reject } = Promise.withResolvers<FlowPlace>()
    let queued: Waiting<Pending> | undefined
    const gone = (): void => {
      if (queued?.queues.cancel(queued.waiter) === true) pending.refuse('cancelled')
    }
    const over = (executed: boolean): void => {
      signal.removeEventListener('abort', gone)
      metrics.waited(counts, (clock.monotonic() - since) / 1000, executed)
    }
    const pending: Pending = {
      flow,
      hash,
      path,
      admit: (waited) => {
        over(true)
        counts.dispatched++
        resolve(new Place(this, flow, path, width, waited, clock.monotonic()))
      },
      refuse: (reason) => {
        over(false)
        counts.reject(reason)
        reject(refusal(flow, reason))
      },
    }
    queued = level.wait(hash, pending, width, since)
    if (queued === undefined) {
      const reason = level.hasQueues ? 'queue-full' : 'concurrency-limit'
      counts.reject(reason)
      throw refusal(flow, reason)
    }
    signal.addEventListener('abort', gone, { once: true })
    if (signal.aborted) gone()
    return promise
  }

  /** What happens until the loop comes round again is one turn: seats that are left in it are given to others at its end. */
  #beginTurn(): void {
    const { clock } = this.#options
    this.#turnBegan = clock.monotonic()
    void clock.yield().then(() => this.#endTurn())
  }

  #endTurn(): void {
    const took = this.#options.clock.monotonic() - (this.#turnBegan as number)
    this.#turnBegan = undefined
    let full = false
    for (const level of this.#levels.values()) full ||= level.filledTurn
    if (this.#capacity.observe(took, full)) this.#applyCapacity()
    for (const level of this.#all()) {
      level.endTurn()
      for (const waited of level.dispatch()) {
        if (this.#turnBegan === undefined) this.#beginTurn()
        waited.waiter.item.admit(waited)
      }
    }
  }

  #applyCapacity(): void {
    for (const [name, level] of this.#levels) level.limit = this.#capacity.of(this.#granted.get(name) ?? 1)
  }

  #lend(): void {
    const demands = new Map(
      [...this.#levels.keys()].map((name) => {
        const samples = this.#samples.get(name) ?? []
        const smooth = smoothDemand(samples, this.#smooth.get(name) ?? 0)
        this.#smooth.set(name, smooth)
        return [name, { high: Math.max(0, ...samples), smooth }]
      }),
    )
    this.#samples.clear()
    this.#granted = lendSeats(this.#ranges, demands, this.#options.seats)
    this.#applyCapacity()
  }

  #tellCounts(): void {
    for (const { counts } of this.#flows) this.#options.metrics.tell(counts)
  }
}

const flowOf = ({ metadata, spec }: DeepReadonly<FlowSchema>, level: Level): Flow => ({
  uid: metadata.uid ?? '',
  name: metadata.name ?? '',
  distinguisher: spec?.distinguisherMethod?.type,
  level,
  counts: new FlowCounts(metadata.name ?? '', level.name),
})

class Place implements FlowPlace {
  readonly flow: Flow
  readonly width: number
  readonly waited: Waiting<Pending> | undefined
  /** Of one that waited. */
  readonly began: number
  readonly #controller: FairFlowController
  readonly #path: FlowPath
  #isLeft = false

  constructor(
    controller: FairFlowController,
    flow: Flow,
    path: FlowPath,
    width: number,
    waited: Waiting<Pending> | undefined,
    began: number,
  ) {
    this.#controller = controller
    this.flow = flow
    this.#path = path
    this.width = width
    this.waited = waited
    this.began = began
  }

  get flowSchemaUid(): string {
    return this.flow.uid
  }

  get priorityLevelUid(): string {
    return this.flow.level.uid
  }

  listed(objects: number): void {
    this.#controller.listed(this.#path, objects)
  }

  leave(): void {
    if (this.#isLeft) return
    this.#isLeft = true
    this.#controller.leave(this)
  }
}
