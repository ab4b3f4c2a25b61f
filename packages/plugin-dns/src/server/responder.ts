import type { Random } from '@continuo/core'
import packet from 'dns-packet'
import type { Forwarder } from '../forward/forwarder.ts'
import { questionOf } from '../forward/forwarder.ts'
import { flags, headerBytes, type RecordTypeName, type ResourceRecord, rcodes, types } from '../wire/protocol.ts'
import { isIn, type Query, readQuery } from '../wire/read-query.ts'
import { bareResponse, optBytes, ResponseWriter, writeOpt } from '../wire/write-response.ts'
import type { Zone, ZoneAnswer } from '../zone/zone.ts'

/** Who knew an answer. */
export type AnswerSource = 'zone' | 'cache' | 'upstream'

export interface ResponderOptions {
  readonly zone: Zone
  readonly forwarder: Forwarder
  readonly random: Random
  /** Whether a reverse name belongs to the cluster, so that nobody else is asked for it. */
  readonly ownsReverse: (name: string) => boolean
  /** Largest datagram that is sent. */
  readonly udpBytes: number
  /** Called with each answer's code: for a metric. */
  readonly answered: (rcode: number, from: AnswerSource) => void
}

const plainUdpBytes = 512
/** Orders that one random number of 48 bits tells apart with room to spare. */
const mostWays = 2 ** 24
const axfr = 252
const ixfr = 251

/** Turns messages into answers. What the zone or the cache knows is answered at once, the rest by a promise. */
export class Responder {
  readonly #options: ResponderOptions
  readonly #writer: ResponseWriter

  constructor(options: ResponderOptions) {
    this.#options = options
    this.#writer = new ResponseWriter(options.udpBytes)
  }

  /** The answer to a message; nothing when it gets none. Never throws, and its promise never rejects. */
  respond(message: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined | Promise<Buffer | undefined> {
    const query = readQuery(message)
    if (query === undefined) return undefined
    if (!('question' in query)) {
      this.#options.answered(query.rcode, 'zone')
      return bareResponse(query.id, query.opcode, query.rcode)
    }
    const limit = transport === 'tcp' ? 65_535 : Math.min(Math.max(plainUdpBytes, query.edns?.udpBytes ?? 0), this.#options.udpBytes)
    return this.#answer(query, limit)
  }

  #answer(query: Query, limit: number): Buffer | Promise<Buffer> {
    const { zone, forwarder } = this.#options
    if ((query.edns?.version ?? 0) > 0) return this.#code(query, limit, rcodes.badVers)
    if (!isIn(query) || query.type === axfr || query.type === ixfr) return this.#code(query, limit, rcodes.refused)
    const known = zone.answer(query.name, query.type) ?? (this.#options.ownsReverse(query.name) ? zone.noSuchName() : undefined)
    if (known !== undefined) {
      if (known.elsewhere !== undefined && forwarder.configured && wantsRecursion(query))
        return this.#followed(query, limit, known, known.elsewhere)
      return this.#local(query, limit, known)
    }
    if (forwarder.isOwnProbe(query.name) || !forwarder.configured || !wantsRecursion(query)) return this.#code(query, limit, rcodes.refused)
    const modes = modesOf(query)
    const cached = forwarder.cachedAnswer(query.question, modes)
    if (cached !== undefined) return this.#foreign(query, limit, cached, 'cache')
    return forwarder.resolve(query.question, modes).then(
      (answer) => this.#foreign(query, limit, answer, 'upstream'),
      () => this.#code(query, limit, rcodes.servFail),
    )
  }

  #local(query: Query, limit: number, answer: ZoneAnswer): Buffer {
    this.#options.answered(answer.rcode, 'zone')
    return this.#writer.write(
      query,
      {
        ...answer,
        answers: this.#shuffled(answer.answers),
        authoritative: true,
        recursionAvailable: this.#options.forwarder.configured,
      },
      limit,
    )
  }

  /** A CNAME of the zone whose target others know: their records stand behind ours, as resolvers of programs need it. */
  async #followed(query: Query, limit: number, known: ZoneAnswer, target: string): Promise<Buffer> {
    try {
      const { forwarder } = this.#options
      const question = questionOf(target, query.type)
      const modes = modesOf(query)
      const answer = forwarder.cachedAnswer(question, modes) ?? (await forwarder.resolve(question, modes))
      const { answers = [] } = packet.decode(answer)
      const theirs = answers.flatMap((one) =>
        one.type in types && one.type !== 'OPT' && 'data' in one
          ? [{ name: one.name.toLowerCase(), type: one.type as RecordTypeName, ttl: one.ttl ?? 0, data: one.data }]
          : [],
      )
      const rcode = (answer[3] as number) & 0xf
      this.#options.answered(rcode, 'upstream')
      return this.#writer.write(query, { rcode, answers: [...known.answers, ...theirs], recursionAvailable: true }, limit)
    } catch {
      return this.#code(query, limit, rcodes.servFail)
    }
  }

  /** Another server's answer with what belongs to this client's question and size. */
  #foreign(query: Query, limit: number, answer: Buffer, from: AnswerSource): Buffer {
    const rcode = (answer[3] as number) & 0xf
    this.#options.answered(rcode, from)
    const opt = query.edns === undefined ? 0 : optBytes
    const cut = answer.length + opt > limit
    const body = cut ? headerBytes + query.question.length : answer.length
    const own = Buffer.allocUnsafe(body + opt)
    answer.copy(own, 0, 0, body)
    own.writeUInt16BE(query.id, 0)
    own.writeUInt16BE(flags.response | flags.available | query.copied | rcode | (cut ? flags.truncated : 0), 2)
    if (cut) own.fill(0, 6, headerBytes)
    if (query.edns !== undefined) {
      writeOpt(own, body, this.#options.udpBytes, rcode, query.edns.dnssec)
      own.writeUInt16BE(own.readUInt16BE(10) + 1, 10)
    }
    return own
  }

  #code(query: Query, limit: number, rcode: number): Buffer {
    this.#options.answered(rcode, 'zone')
    return this.#writer.write(query, { rcode, recursionAvailable: this.#options.forwarder.configured }, limit)
  }

  /** CNAME records stay in front, in their order; the others take turns. */
  #shuffled(records: readonly ResourceRecord[]): readonly ResourceRecord[] {
    if (records.length < 2) return records
    const chain = records.filter(({ type }) => type === 'CNAME')
    const rest = records.filter(({ type }) => type !== 'CNAME')
    // One random number is enough for several steps, and costs more than they do.
    let chance = 0
    let ways = Number.POSITIVE_INFINITY
    for (let last = rest.length - 1; last > 0; last--) {
      if (ways > mostWays) {
        chance = this.#options.random.next()
        ways = 1
      }
      const scaled = chance * (last + 1)
      const other = Math.floor(scaled)
      chance = scaled - other
      ways *= last + 1
      const moved = rest[last] as ResourceRecord
      rest[last] = rest[other] as ResourceRecord
      rest[other] = moved
    }
    return [...chain, ...rest]
  }
}

const wantsRecursion = (query: Query): boolean => (query.copied & flags.wanted) !== 0

const modesOf = (query: Query) => ({ dnssec: query.edns?.dnssec ?? false, unchecked: (query.copied & flags.unchecked) !== 0 })
