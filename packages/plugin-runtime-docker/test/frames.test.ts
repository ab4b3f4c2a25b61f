import { describe, expect, it } from 'vitest'
import { type Frame, readFrames } from '../src/daemon/frames.ts'
import { readJsonLines } from '../src/images/progress.ts'
import { LogLines } from '../src/streams/log-lines.ts'

function packed(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}

async function* inPieces(data: Buffer, bytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += bytes) yield data.subarray(at, at + bytes)
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of source) found.push(one)
  return found
}

describe('frames of the daemon', () => {
  const data = Buffer.concat([packed(1, 'out'), packed(2, 'error'), packed(1, ''), packed(1, 'x'.repeat(300))])

  for (const bytes of [1, 2, 7, 8, 9, 11, 100, 10_000])
    it(`are the same in pieces of ${bytes} bytes`, async () => {
      const frames = await all(readFrames(inPieces(data, bytes), false))
      expect(frames.map(({ stream, data: text }) => `${stream} ${text}`)).toEqual([
        'stdout out',
        'stderr error',
        'stdout ',
        `stdout ${'x'.repeat(300)}`,
      ])
    })

  it('are none with a terminal', async () => {
    expect(Buffer.concat((await all(readFrames(inPieces(data, 10), true))).map((frame) => frame.data)).equals(data)).toBe(true)
  })
})

describe('lines of a log', () => {
  const push = (lines: LogLines, stream: Frame['stream'], text: string) => lines.push({ stream, data: Buffer.from(text) }).toString()

  it('have one time each, also when another stream writes in between', () => {
    const lines = new LogLines({ timestamps: true })
    const shown = [
      push(lines, 'stdout', '01:00 long '),
      push(lines, 'stderr', '01:01 error\n'),
      push(lines, 'stdout', '01:02 line\n'),
      push(lines, 'stdout', '01:03 next\n'),
    ]
    expect(shown).toEqual(['01:00 long ', '01:01 error\n', 'line\n', '01:03 next\n'])
  })

  it('end at the limit', () => {
    const lines = new LogLines({ timestamps: false, limitBytes: 5 })
    expect([push(lines, 'stdout', 'abc\n'), lines.full, push(lines, 'stdout', 'def\n'), lines.full]).toEqual(['abc\n', false, 'd', true])
  })
})

describe('lines of JSON', () => {
  it('are read in whatever pieces they come, and skipped when they are none', async () => {
    const text = Buffer.from('{"a":"ü"}\r\n\nnonsense\n{"a":2}')
    for (const bytes of [1, 3, 100]) expect(await all(readJsonLines(inPieces(text, bytes)))).toEqual([{ a: 'ü' }, { a: 2 }])
  })
})
