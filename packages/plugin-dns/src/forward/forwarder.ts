import { type Clock, ContinuoError, type Log, type Random } from '@continuo/core'
import { flags, headerBytes, rcodes, types } from '../wire/protocol.ts'
import { lowerCase } from '../wire/read-query.ts'
import { walkMessage } from '../wire/walk-message.ts'
import { optBytes, writeOpt } from '../wire/write-response.ts'
import { AnswerCache, type AnswerCacheLimits } from './answer-cache.ts'
import { Upstream, type UpstreamAddress } from './upstream.ts'

export interface ForwarderOptions {
  readonly upstreams: readonly UpstreamAddress[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly timeoutMs: number
  /** Questions that are under way at once; further ones fail. */
  readonly maxInFlight: number
  readonly cache: AnswerCacheLimits
  readonly udpBytes: number
}

/** What of a question makes a difference to its answer, beside the question itself. */
export interface ForwardModes {
  readonly dnssec: boolean
  readonly unchecked: boolean
}

const probeMs = 1_000
const loopSuffix = '.loop.continuo.invalid'

/** Asks other servers for names that are not the cluster's: each question once at a time, and not again while its answer is valid. */
export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #upstreams: readonly Upstream[]
  readonly #cache: AnswerCache
  readonly #inFlight = new Map<string, Promise<Buffer>>()
  readonly #end = new AbortController()
  /** Nobody else knows this name: whoever asks for it passes on what this process has sent. */
  readonly #token: string
  readonly #loops = new Set<number>()
  readonly #probing = new Set<number>()

  constructor(options: ForwarderOptions) {
    const { clock, random, timeoutMs } = options
    this.#options = options
    this.#upstreams = options.upstreams.map((address) => new Upstream({ address, clock, random, timeoutMs }))
    this.#cache = new AnswerCache(options.cache)
    this.#token = random.suffix(20)
  }

  get configured(): boolean {
    return this.#upstreams.length > 0
  }

  get cached(): number {
    return this.#cache.size
  }

  /** Servers that answer, for a metric. */
  get healthy(): number {
    return this.#upstreams.filter((upstream, at) => !upstream.failing && !this.#loops.has(at)).length
  }

  /** Asks each server once for a name of this process alone: one that sends it back here is left out from now on. */
  start(): void {
    for (const at of this.#upstreams.keys()) void this.#probe(at)
  }

  close(): void {
    this.#end.abort(new ContinuoError('DNS_UPSTREAM', 'the name server stops'))
  }

  /** True for a question that this process has sent itself: the server that passed it on is left out from now on. */
  isOwnProbe(name: string): boolean {
    if (!name.endsWith(loopSuffix)) return false
    const [token, at] = name.slice(0, -loopSuffix.length).split('.')
    if (token !== this.#token) return false
    const upstream = this.#upstreams[Number(at)]
    if (upstream !== undefined && !this.#loops.has(Number(at))) {
      this.#loops.add(Number(at))
      this.#options.log.error(
        { upstream: upstream.text },
        'this upstream sends questions back here: it is left out; name other `upstreams`',
      )
    }
    return true
  }

  /** The answer out of the cache, with the question as it is given here. */
  cachedAnswer(question: Buffer, modes: ForwardModes): Buffer | undefined {
    const found = this.#cache.get(keyOf(question, modes), this.#options.clock.monotonic())
    return found === undefined ? undefined : asAsked(found, question)
  }

  /** Asks the servers in their order. The answer has no OPT record. Throws `DNS_UPSTREAM` and `DNS_BUSY`. */
  async resolve(question: Buffer, modes: ForwardModes): Promise<Buffer> {
    const key = keyOf(question, modes)
    const running = this.#inFlight.get(key)
    if (running !== undefined) return asAsked(Buffer.from(await running), question)
    if (this.#inFlight.size >= this.#options.maxInFlight)
      throw new ContinuoError('DNS_BUSY', `${this.#options.maxInFlight} questions wait for other servers already`)
    const asking = this.#askInTurn(question, modes)
    this.#inFlight.set(key, asking)
    try {
      const answer = await asking
      this.#cache.put(key, answer, this.#options.clock.monotonic())
      return asAsked(Buffer.from(answer), question)
    } finally {
      this.#inFlight.delete(key)
    }
  }

  async #askInTurn(question: Buffer, modes: ForwardModes): Promise<Buffer> {
    const message = forwardedQuery(question, modes, this.#options.udpBytes)
    const usable = [...this.#upstreams.entries()].filter(([at]) => !this.#loops.has(at))
    const inTurn = [...usable.filter(([, upstream]) => !upstream.failing), ...usable.filter(([, upstream]) => upstream.failing)]
    let refused: Buffer | undefined
    let last: unknown
    for (const [at, upstream] of inTurn) {
      try {
        const answer = withoutOpt(await upstream.ask(message, this.#end.signal))
        const rcode = (answer[3] as number) & 0xf
        if (rcode !== rcodes.servFail && rcode !== rcodes.refused && rcode !== rcodes.notImp) return answer
        refused ??= answer
      } catch (error) {
        last = error
        if (this.#end.signal.aborted) throw error
        if (upstream.failing) void this.#probe(at)
      }
    }
    if (refused !== undefined) return refused
    throw new ContinuoError('DNS_UPSTREAM', 'no upstream answers', { cause: last })
  }

  /** Until the server answers anything at all. */
  async #probe(at: number): Promise<void> {
    const upstream = this.#upstreams[at]
    if (upstream === undefined || this.#probing.has(at)) return
    this.#probing.add(at)
    const question = questionOf(`${this.#token}.${at}${loopSuffix}`, types.HINFO)
    const { clock, log, udpBytes } = this.#options
    let lost = false
    while (!this.#end.signal.aborted && !this.#loops.has(at)) {
      try {
        await upstream.ask(forwardedQuery(question, { dnssec: false, unchecked: false }, udpBytes), this.#end.signal)
        if (lost) log.info({ upstream: upstream.text }, 'upstream answers again')
        break
      } catch (error) {
        if (!lost && !this.#end.signal.aborted) log.warn({ upstream: upstream.text, err: error }, 'upstream does not answer')
        lost = true
        await clock.sleep(probeMs, this.#end.signal).catch(() => {})
      }
    }
    this.#probing.delete(at)
  }
}

/** A question in the form of messages. */
export function questionOf(name: string, type: number): Buffer {
  const labels = name === '' ? [] : name.split('.').map((label) => Buffer.from(label))
  return Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0, type >> 8, type & 0xff, 0, 1)])
}

function keyOf(question: Buffer, { dnssec, unchecked }: ForwardModes): string {
  return `${dnssec ? 'd' : ''}${unchecked ? 'c' : ''}:${lowerCase(question).toString('latin1')}`
}

/** Writes the question over that of the answer, which has the same letters in another case. */
function asAsked(answer: Buffer, question: Buffer): Buffer {
  question.copy(answer, headerBytes)
  return answer
}

function forwardedQuery(question: Buffer, { dnssec, unchecked }: ForwardModes, udpBytes: number): Buffer {
  const message = Buffer.alloc(headerBytes + question.length + optBytes)
  message.writeUInt16BE(flags.wanted | (unchecked ? flags.unchecked : 0), 2)
  message.writeUInt16BE(1, 4)
  message.writeUInt16BE(1, 10)
  lowerCase(question).copy(message, headerBytes)
  writeOpt(message, headerBytes + question.length, udpBytes, rcodes.noError, dnssec)
  return message
}

/** The message without its OPT record and what stands behind that: both concern one hop alone, or may be left out. */
export function withoutOpt(message: Buffer): Buffer {
  const records = walkMessage(message)?.records.filter(({ section }) => section === 'additional') ?? []
  const at = records.findIndex(({ type }) => type === types.OPT)
  if (at === -1) return Buffer.from(message)
  const cut = Buffer.from(message.subarray(0, records[at]?.start))
  cut.writeUInt16BE(at, 10)
  return cut
}
