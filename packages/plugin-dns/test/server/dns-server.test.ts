import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { silentLog, systemClock } from '@continuo/core'
import { createSeededRandom } from '@continuo/testkit'
import packet from 'dns-packet'
import { afterEach, describe, expect, it } from 'vitest'
import { Forwarder } from '../../src/forward/forwarder.ts'
import type { UpstreamAddress } from '../../src/forward/upstream.ts'
import { DnsServer, type DnsServerOptions } from '../../src/server/dns-server.ts'
import { Responder } from '../../src/server/responder.ts'
import { makeIndex, makeZone, service, set, slice } from '../zone-fixture.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const many = Array.from({ length: 90 }, (_, at) => ({ ip: `10.0.1.${at + 1}`, hostname: `many-${at}` }))

async function start(upstreams: readonly UpstreamAddress[] = [], more: Partial<DnsServerOptions> = {}) {
  const index = makeIndex()
  set(
    index,
    service('web', { ip: '10.96.0.1' }, { http: 80 }),
    service('db', { ip: 'None' }, { sql: 5432 }),
    slice(
      'db',
      'db-1',
      [1, 2, 3].map((at) => ({ ip: `10.0.0.${at}`, hostname: `db-${at}` })),
      { sql: 5432 },
    ),
    service('many', { ip: 'None' }, { x: 1 }),
    slice('many', 'many-1', many, { x: 1 }),
    service('away', { type: 'ExternalName', externalName: 'www.example.com' }),
  )
  const random = createSeededRandom(7)
  const forwarder = new Forwarder({
    upstreams,
    clock: systemClock,
    random,
    log: silentLog,
    timeoutMs: 300,
    maxInFlight: 10,
    cache: { entries: 100, bytes: 100_000, maxTtl: 60, maxNegativeTtl: 60 },
    udpBytes: 1_232,
  })
  const responder = new Responder({
    zone: makeZone(index),
    forwarder,
    random,
    ownsReverse: (name) => name.endsWith('.127.in-addr.arpa'),
    udpBytes: 1_232,
    answered: () => {},
  })
  const drops: string[] = []
  const server = new DnsServer({
    clock: systemClock,
    respond: (message, transport) => responder.respond(message, transport),
    perSourceRate: 0,
    mostConnections: 10,
    idleMs: 200,
    dropped: (why) => drops.push(why),
    ...more,
  })
  const port = await server.listen({ host: '127.0.0.1', port: 0 })
  closers.push(
    () => server.close(),
    () => forwarder.close(),
  )
  const resolver = new Resolver({ timeout: 1_000, tries: 1 })
  resolver.setServers([`127.0.0.1:${port}`])
  return { port, resolver, forwarder, drops, responder }
}

const svc = (name: string) => `${name}.shop.svc.cluster.local`

interface Asked {
  readonly name: string
  readonly type: packet.RecordType
  readonly flags?: number
  readonly additionals?: packet.Packet['additionals']
}

const message = ({ name, type, flags = packet.RECURSION_DESIRED, additionals }: Asked, id = 4242) =>
  packet.encode({ type: 'query', id, flags, questions: [{ name, type }], additionals })

/** One datagram and its answer, as bytes and read. */
async function dig(port: number, asked: Asked | Buffer) {
  const socket = createSocket('udp4')
  try {
    socket.send(Buffer.isBuffer(asked) ? asked : message(asked), port, '127.0.0.1')
    const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(2_000) })) as [Buffer]
    return { ...packet.decode(answer), bytes: answer }
  } finally {
    socket.close()
  }
}

/** Several questions over one connection, in one write. */
async function digTcp(port: number, asked: readonly Asked[]) {
  const socket = connect(port, '127.0.0.1')
  try {
    socket.write(Buffer.concat(asked.map((one, at) => packet.streamEncode({ type: 'query', id: at, flags: 256, questions: [one] }))))
    const answers: packet.Packet[] = []
    let got = Buffer.alloc(0)
    while (answers.length < asked.length) {
      const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(2_000) })) as [Buffer]
      got = Buffer.concat([got, chunk])
      while (got.length >= 2 && got.length >= 2 + got.readUInt16BE(0)) {
        const end = 2 + got.readUInt16BE(0)
        answers.push(packet.decode(got.subarray(2, end)))
        got = got.subarray(end)
      }
    }
    return answers
  } finally {
    socket.destroy()
  }
}

const opt = (udpPayloadSize: number, ednsVersion = 0, flags = 0): packet.Packet['additionals'] => [
  { type: 'OPT', name: '.', udpPayloadSize, extendedRcode: 0, ednsVersion, flags, flag_do: flags !== 0, options: [] },
]

/** A name server as others have them. */
async function upstream(answer: (query: packet.DecodedPacket) => Buffer | undefined) {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (bytes, from) => {
    const query = packet.decode(bytes)
    const name = query.questions?.[0]?.name ?? ''
    // Not the questions by which it is found out whether it is there.
    if (!name.endsWith('.invalid')) asked.push(name)
    const said = answer(query)
    if (said !== undefined) socket.send(said, from.port)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  closers.push(() => socket.close())
  return { address: { host: '127.0.0.1', port: socket.address().port }, asked }
}

const codes: Record<string, number> = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3 }

const reply = (query: packet.DecodedPacket, answers: packet.Answer[], rcode = 'NOERROR', authorities: packet.Answer[] = []) =>
  packet.encode({
    type: 'response',
    id: query.id,
    flags: (codes[rcode] ?? 0) | packet.RECURSION_AVAILABLE,
    questions: query.questions,
    answers,
    authorities,
    additionals: opt(4_096),
  })

describe('questions of a resolver', () => {
  it('are answered over UDP', async () => {
    const { resolver } = await start()
    expect(await resolver.resolve4(svc('web'))).toEqual(['10.96.0.1'])
    expect((await resolver.resolve4(svc('db'))).sort()).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    expect(await resolver.resolveSrv('_http._tcp.web.shop.svc.cluster.local')).toMatchObject([{ name: svc('web'), port: 80 }])
    expect(await resolver.reverse('10.0.0.2')).toEqual([`db-2.${svc('db')}`])
    expect(await resolver.resolveCname(svc('away'))).toEqual(['www.example.com'])
    expect(await resolver.resolveTxt('dns-version.cluster.local')).toEqual([['1.1.0']])
    expect(await resolver.resolveSoa('cluster.local')).toMatchObject({ nsname: 'ns.dns.cluster.local', minttl: 7 })
    await expect(resolver.resolve4(svc('none'))).rejects.toMatchObject({ code: 'ENOTFOUND' })
    await expect(resolver.resolve6(svc('web'))).rejects.toMatchObject({ code: 'ENODATA' })
  })

  it('are answered over TCP when they do not fit, as resolvers ask again by themselves', async () => {
    const { resolver } = await start()
    expect((await resolver.resolve4(svc('many'))).sort()).toEqual(many.map(({ ip }) => ip).sort())
  })

  it('take turns', async () => {
    const { resolver } = await start()
    const first = new Set<string | undefined>()
    for (let round = 0; round < 40; round++) first.add((await resolver.resolve4(svc('db')))[0])
    expect(first.size).toBe(3)
  })
})

describe('an answer', () => {
  it('has the letters of the question as they came', async () => {
    const { port } = await start()
    const answer = await dig(port, { name: 'WeB.sHOp.Svc.cLuster.lOcal', type: 'A' })
    expect(answer.questions?.[0]?.name).toBe('WeB.sHOp.Svc.cLuster.lOcal')
    expect(answer.answers).toMatchObject([{ name: 'WeB.sHOp.Svc.cLuster.lOcal', data: '10.96.0.1', ttl: 5 }])
    expect(answer).toMatchObject({ id: 4242, flag_aa: true, flag_rd: true, flag_ra: false, flag_tc: false })
  })

  it('is cut at 512 bytes, or at what the client takes, and says so', async () => {
    const { port } = await start()
    const plain = await dig(port, { name: svc('many'), type: 'A' })
    expect(plain.flag_tc).toBe(true)
    expect(plain.bytes.length).toBeLessThanOrEqual(512)
    expect(plain.answers?.length).toBeGreaterThan(25)
    const larger = await dig(port, { name: svc('many'), type: 'A', additionals: opt(4_096) })
    expect(larger.flag_tc).toBe(true)
    expect(larger.bytes.length).toBeGreaterThan(1_200)
    expect(larger.bytes.length).toBeLessThanOrEqual(1_232)
    expect(larger.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1_232 }])
    const tiny = await dig(port, { name: svc('many'), type: 'A', additionals: opt(1) })
    expect(tiny.bytes.length).toBeGreaterThan(450)
  })

  it('leaves additional records out rather than be cut', async () => {
    const { port } = await start()
    const answer = await dig(port, { name: '_sql._tcp.db.shop.svc.cluster.local', type: 'SRV' })
    expect(answer.flag_tc).toBe(false)
    expect(answer.answers).toHaveLength(3)
    expect(answer.additionals?.map((one) => 'data' in one && one.data).sort()).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    expect(answer.additionals?.map(({ name }) => name).sort()).toEqual([1, 2, 3].map((at) => `db-${at}.${svc('db')}`))
  })

  it('comes over TCP for each question of a connection', async () => {
    const { port } = await start()
    const answers = await digTcp(port, [
      { name: svc('web'), type: 'A' },
      { name: svc('many'), type: 'A' },
      { name: svc('none'), type: 'A' },
    ])
    expect(answers.map(({ id, answers: found }) => [id, found?.length])).toEqual([
      [0, 1],
      [1, 90],
      [2, 0],
    ])
  })

  it.each([
    ['another class', Buffer.from('123401000001000000000000047665727303626964000010 0003'.replaceAll(' ', ''), 'hex'), 'REFUSED'],
    ['another operation', Buffer.from('12342800000000000000 0000'.replaceAll(' ', ''), 'hex'), 'NOTIMP'],
    ['no question', Buffer.from('123401000000000000000000', 'hex'), 'FORMERR'],
    ['a name that points at itself', Buffer.from('123401000001000000000000c00c00010001', 'hex'), 'FORMERR'],
    ['a transfer of the zone', message({ name: 'cluster.local', type: 'AXFR' }), 'REFUSED'],
    ['a name that is not ours, without upstreams', message({ name: 'example.com', type: 'A' }), 'REFUSED'],
    ['an address of our ranges', message({ name: '9.9.9.127.in-addr.arpa', type: 'PTR' }), 'NXDOMAIN'],
  ])('to %s is a code', async (_, bytes, rcode) => {
    const { port } = await start()
    expect(await dig(port, bytes)).toMatchObject({ rcode, id: bytes.readUInt16BE(0), type: 'response' })
  })

  it('to a newer version of EDNS says which one is known', async () => {
    const { port } = await start()
    const { bytes, additionals } = await dig(port, { name: svc('web'), type: 'A', additionals: opt(1_232, 1) })
    expect((bytes[3] as number) & 0xf).toBe(0)
    expect(additionals).toMatchObject([{ type: 'OPT', extendedRcode: 1, ednsVersion: 0 }])
  })
})

describe('names that others know', () => {
  it('are asked of the upstream once, then answered from the cache with what is left of their time', async () => {
    const other = await upstream((query) =>
      reply(query, [{ name: query.questions?.[0]?.name ?? '', type: 'A', ttl: 30, data: '192.0.2.1' }]),
    )
    const { port } = await start([other.address])
    for (const name of ['www.example.com', 'WWW.Example.com']) {
      const answer = await dig(port, { name, type: 'A' })
      expect(answer).toMatchObject({ id: 4242, flag_aa: false, flag_ra: true, flag_rd: true, additionals: [] })
      expect(answer.questions?.[0]?.name).toBe(name)
      expect(answer.answers).toMatchObject([{ type: 'A', data: '192.0.2.1' }])
    }
    const withEdns = await dig(port, { name: 'www.example.com', type: 'A', additionals: opt(1_232) })
    expect(withEdns.additionals).toMatchObject([{ type: 'OPT' }])
    expect(other.asked).toEqual(['www.example.com'])
  })

  it('that do not exist are kept for as long as their zone says', async () => {
    const soa: packet.Answer = { name: 'example.com', type: 'SOA', ttl: 30, data: { mname: 'a.example', rname: 'b.example', minimum: 20 } }
    const other = await upstream((query) => reply(query, [], 'NXDOMAIN', [soa]))
    const { resolver } = await start([other.address])
    for (let round = 0; round < 3; round++) await expect(resolver.resolve4('no.example.com')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    expect(other.asked).toEqual(['no.example.com'])
  })

  it('are asked of the next server when one is silent or fails', async () => {
    const silent = await upstream(() => undefined)
    const failing = await upstream((query) => reply(query, [], 'SERVFAIL'))
    const good = await upstream((query) => reply(query, [{ name: query.questions?.[0]?.name ?? '', type: 'A', ttl: 0, data: '192.0.2.1' }]))
    const { port, forwarder } = await start([silent.address, failing.address, good.address])
    for (const name of ['a.example', 'b.example', 'c.example', 'd.example'])
      expect((await dig(port, { name, type: 'A' })).answers).toMatchObject([{ data: '192.0.2.1' }])
    // After two failures in a row it is asked last, and the others answer before.
    expect(silent.asked).toEqual(['a.example', 'b.example'])
    expect(good.asked).toHaveLength(4)
    expect(forwarder.healthy).toBeGreaterThanOrEqual(2)
  })

  it('fail when nobody answers', async () => {
    const silent = await upstream(() => undefined)
    const { port } = await start([silent.address])
    expect(await dig(port, { name: 'a.example', type: 'A' })).toMatchObject({ rcode: 'SERVFAIL' })
  })

  it('are the rest of the way of an ExternalName', async () => {
    const other = await upstream((query) =>
      reply(query, [
        { name: 'www.example.com', type: 'CNAME', ttl: 9, data: 'cdn.example.net' },
        { name: 'cdn.example.net', type: 'A', ttl: 9, data: '192.0.2.9' },
      ]),
    )
    const { resolver, port } = await start([other.address])
    expect(await resolver.resolve4(svc('away'))).toEqual(['192.0.2.9'])
    expect((await dig(port, { name: svc('away'), type: 'A' })).answers).toMatchObject([
      { type: 'CNAME', data: 'www.example.com' },
      { type: 'CNAME', data: 'cdn.example.net' },
      { type: 'A', data: '192.0.2.9' },
    ])
  })

  it('are not taken from whoever answers another question', async () => {
    const liar = await upstream((query) =>
      reply({ ...query, questions: [{ name: 'evil.example', type: 'A' }] }, [{ name: 'evil.example', type: 'A', data: '192.0.2.66' }]),
    )
    const { port } = await start([liar.address])
    expect(await dig(port, { name: 'a.example', type: 'A' })).toMatchObject({ rcode: 'SERVFAIL', answers: [] })
  })

  it('never go round: an upstream that asks here again is left out', async () => {
    // It passes everything on to us, as a machine's resolver does whose own upstream is the cluster.
    const relay = createSocket('udp4').bind(0, '127.0.0.1')
    await once(relay, 'listening')
    closers.push(() => relay.close())
    const { port, forwarder } = await start([{ host: '127.0.0.1', port: relay.address().port }])
    const waiting = new Map<number, number>()
    relay.on('message', (bytes, from) => {
      if (from.port === port) relay.send(bytes, waiting.get(bytes.readUInt16BE(0)) ?? 0)
      else {
        waiting.set(bytes.readUInt16BE(0), from.port)
        relay.send(bytes, port, '127.0.0.1')
      }
    })
    forwarder.start()
    await expect.poll(() => forwarder.healthy).toBe(0)
    expect(await dig(port, { name: 'a.example', type: 'A' })).toMatchObject({ rcode: 'SERVFAIL' })
  })
})

describe('too much', () => {
  it('of one source is dropped', async () => {
    const { resolver, drops } = await start([], { perSourceRate: 5 })
    const results = await Promise.allSettled(Array.from({ length: 30 }, () => resolver.resolve4(svc('web'))))
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeLessThan(20)
    expect(drops).toContain('rate')
  })

  it('of connections is closed, and so are those without questions', async () => {
    const { port } = await start([], { mostConnections: 1 })
    const first = connect(port, '127.0.0.1')
    await once(first, 'connect')
    const second = connect(port, '127.0.0.1').on('error', () => {})
    await once(second, 'close')
    await once(first.resume(), 'close')
  })

  it('is no address', async () => {
    const { port } = await start()
    const another = new DnsServer({
      clock: systemClock,
      respond: () => undefined,
      perSourceRate: 0,
      mostConnections: 1,
      idleMs: 1,
      dropped: () => {},
    })
    await expect(another.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'DNS_LISTEN' })
  })
})

describe('malformed messages', () => {
  it('neither throw nor get more than one answer, 50,000 of them from a seed', async () => {
    const { responder } = await start()
    const random = createSeededRandom(20_261_121)
    const seeds = [
      message({ name: svc('web'), type: 'A' }),
      message({ name: svc('many'), type: 'SRV', additionals: opt(1_232) }),
      message({ name: '1.0.0.10.in-addr.arpa', type: 'PTR' }),
    ]
    let answered = 0
    for (let round = 0; round < 50_000; round++) {
      const base = seeds[round % 4]
      const bytes = base === undefined ? Buffer.from(random.bytes(Math.floor(random.next() * 80))) : Buffer.from(base)
      for (let flips = Math.floor(random.next() * 4); flips > 0 && bytes.length > 0; flips--)
        bytes[Math.floor(random.next() * bytes.length)] = Math.floor(random.next() * 256)
      const cut = random.next() < 0.2 ? bytes.subarray(0, Math.floor(random.next() * bytes.length)) : bytes
      const answer = await responder.respond(cut, round % 2 === 0 ? 'udp' : 'tcp')
      if (answer === undefined) continue
      answered++
      expect(answer.readUInt16BE(0)).toBe(cut.readUInt16BE(0))
      expect((answer[2] as number) & 0x80).toBe(0x80)
      if (round % 2 === 0) expect(answer.length).toBeLessThanOrEqual(1_232)
    }
    expect(answered).toBeGreaterThan(20_000)
  })
})
