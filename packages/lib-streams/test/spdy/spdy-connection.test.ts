import { duplexPair } from 'node:stream'
import { constants, crc32, deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { headerDictionary } from '../../src/spdy/dictionary.ts'
import { encodeControl, encodeDataHeader, encodeWords, frameType, maxControlFrame, SpdyParser } from '../../src/spdy/frames.ts'
import { decodeHeaders, encodeHeaders, HeaderCompressor, HeaderDecompressor } from '../../src/spdy/header-block.ts'
import { SpdyConnection } from '../../src/spdy/spdy-connection.ts'
import type { SpdyStream } from '../../src/spdy/spdy-stream.ts'

/** A client and a server that hands out the streams it accepts. */
function pair() {
  const [left, right] = duplexPair()
  const accepted: SpdyStream[] = []
  let next: (stream: SpdyStream) => void = () => {}
  const server = new SpdyConnection(left, {
    role: 'server',
    maxStreams: 10,
    onStream: (stream) => {
      accepted.push(stream)
      next(stream)
    },
  })
  const client = new SpdyConnection(right, { role: 'client' })
  const opened = async (headers: Record<string, string>) => {
    const arrives = new Promise<SpdyStream>((resolve) => {
      next = resolve
    })
    return { ours: await client.open(headers), theirs: await arrives }
  }
  return { client, server, opened, accepted, raw: right }
}

async function text(stream: SpdyStream): Promise<string> {
  let all = ''
  for await (const chunk of stream) all += chunk
  return all
}

const adler = (bytes: Buffer): number => {
  let [a, b] = [1, 0]
  for (const byte of bytes) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  return ((b << 16) | a) >>> 0
}

describe('the dictionary', () => {
  test('is the one of the specification', () => {
    expect(headerDictionary.length).toBe(1423)
    expect(adler(headerDictionary).toString(16)).toBe('e3c6a7c2')
    expect(crc32(headerDictionary)).toBeGreaterThan(0)
  })
})

describe('header blocks', () => {
  test('keep one context for all blocks of a connection', async () => {
    const [compressor, decompressor] = [new HeaderCompressor(), new HeaderDecompressor()]
    const headers = { streamtype: 'stdin', requestid: '17' }
    const first = await compressor.compress(headers)
    const second = await compressor.compress(headers)
    expect(second.length).toBeLessThan(first.length)
    expect(await decompressor.decompress(first)).toEqual(headers)
    expect(await decompressor.decompress(second)).toEqual(headers)
  })

  test('of many megabytes in a few bytes are refused', async () => {
    const bomb = deflateSync(Buffer.alloc(50_000_000), { dictionary: headerDictionary, finishFlush: constants.Z_SYNC_FLUSH })
    expect(bomb.length).toBeLessThan(maxControlFrame)
    await expect(new HeaderDecompressor().decompress(bomb)).rejects.toMatchObject({ code: 'STREAM_PROTOCOL' })
  })

  test('that are no zlib data are refused', async () => {
    await expect(new HeaderDecompressor().decompress(Buffer.from('nonsense'))).rejects.toMatchObject({ code: 'STREAM_PROTOCOL' })
  })

  test('whose lengths lie are refused', () => {
    const block = encodeHeaders({ name: 'value' })
    for (let cut = 0; cut < block.length; cut++) expect(() => decodeHeaders(block.subarray(0, cut))).toThrow('ends too early')
    expect(() => decodeHeaders(encodeWords(0xffff_ffff, 1))).toThrow('ends too early')
    expect(Object.getPrototypeOf(decodeHeaders(encodeHeaders({ __proto__x: 'a' })))).toBeNull()
  })
})

describe('frames', () => {
  const bytes = Buffer.concat([
    encodeControl(frameType.ping, 0, encodeWords(1)),
    encodeDataHeader(5, 1, 10),
    Buffer.from('0123456789'),
    encodeDataHeader(7, 1, 0),
    encodeControl(frameType.goAway, 0, encodeWords(0, 0)),
  ])

  test.for([1, 3, 8, 11, 100])('are found however the bytes are cut: %d at a time', (step) => {
    const parser = new SpdyParser()
    const found: string[] = []
    let data = ''
    for (let at = 0; at < bytes.length; at += step)
      for (const frame of parser.push(bytes.subarray(at, at + step))) {
        if (frame.kind === 'control') found.push(`control ${frame.type}`)
        else {
          data += frame.data.toString()
          if (frame.fin) found.push(`fin ${frame.streamId} ${data}`)
        }
      }
    expect(found).toEqual(['control 6', 'fin 5 0123456789', 'fin 7 0123456789', 'control 7'])
  })

  test('of another version or beyond the bound are refused', () => {
    expect(() => [...new SpdyParser().push(Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0]))]).toThrow('version 2')
    expect(() => [...new SpdyParser().push(Buffer.from([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]))]).toThrow('exceeds')
  })
})

describe('a connection', () => {
  test('carries streams both ways, with half-closing', async () => {
    const { opened } = pair()
    const { ours, theirs } = await opened({ streamType: 'stdin' })
    expect(theirs.headers.streamtype).toBe('stdin')
    ours.end('question')
    expect(await text(theirs)).toBe('question')
    theirs.end('answer')
    expect(await text(ours)).toBe('answer')
  })

  test('refuses streams beyond its limit and keeps the others', async () => {
    const { client, opened, accepted } = pair()
    const first = await opened({ n: '0' })
    for (let n = 1; n < 10; n++) await opened({ n: String(n) })
    const refused = await client.open({ n: 'too many' })
    await expect(text(refused)).rejects.toMatchObject({ code: 'STREAM_RESET' })
    expect(accepted.length).toBe(10)
    first.ours.end('still here')
    expect(await text(first.theirs)).toBe('still here')
  })

  test('stops reading while a stream is not read, and goes on after', async () => {
    const { opened } = pair()
    const { ours, theirs } = await opened({})
    const sent = Buffer.alloc(20_000_000, 'x')
    let accepted = 0
    const writing = (async () => {
      for (let at = 0; at < sent.length; at += 100_000) {
        if (!ours.write(sent.subarray(at, at + 100_000))) await new Promise((resolve) => ours.once('drain', resolve))
        accepted = at
      }
      ours.end()
    })()
    for (let round = 0; round < 200; round++) await new Promise((resolve) => setImmediate(resolve))
    expect(accepted).toBeLessThan(2_000_000)
    expect(theirs.readableLength).toBeLessThan(1_000_000)
    expect((await text(theirs)).length).toBe(sent.length)
    await writing
  })

  test('ends its streams when the other side goes', async () => {
    const { client, server, opened } = pair()
    const { theirs } = await opened({})
    client.destroy()
    await expect(text(theirs)).rejects.toMatchObject({ code: 'STREAM_RESET' })
    await server.finished
    expect(server.closedSignal.aborted).toBe(true)
  })

  test('says goodbye and ends when the client breaks the rules', async () => {
    for (const nonsense of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n and more than enough of it'.repeat(3000)),
      encodeControl(frameType.synStream, 0, Buffer.alloc(3)),
      encodeControl(frameType.synStream, 0, Buffer.concat([encodeWords(2, 0), Buffer.alloc(2)])),
      encodeControl(frameType.synStream, 0, Buffer.concat([encodeWords(1, 0), Buffer.alloc(2), Buffer.from('not zlib')])),
    ]) {
      const [left, right] = duplexPair()
      const server = new SpdyConnection(left, { role: 'server', onStream: () => {} })
      right.resume()
      right.end(nonsense)
      await server.finished
    }
  })

  test('answers the pings of the other side and not its own', async () => {
    const [left, right] = duplexPair()
    new SpdyConnection(left, { role: 'server' })
    const parser = new SpdyParser()
    const answer = new Promise<number>((resolve) => {
      right.on('data', (chunk: Buffer) => {
        for (const frame of parser.push(chunk))
          if (frame.kind === 'control' && frame.type === frameType.ping) resolve(frame.payload.readUInt32BE(0))
      })
    })
    right.write(encodeControl(frameType.ping, 0, encodeWords(2)))
    right.write(encodeControl(frameType.ping, 0, encodeWords(41)))
    expect(await answer).toBe(41)
  })
})
