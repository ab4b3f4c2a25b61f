import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { formatCriLine, formatCriTime, parseCriLine } from '../../src/log/cri-line.ts'
import { readLog } from '../../src/log/log-reader.ts'
import { LogView } from '../../src/log/log-view.ts'

const directory = mkdtempSync(join(tmpdir(), 'continuo-log-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let path: string
let counter = 0
beforeEach(() => {
  path = join(directory, `log-${counter++}`)
})

const time = (second: number): string => formatCriTime(Date.UTC(2024, 0, 1, 0, 0, second))
const line = (text: string, second = 0, stream: 'stdout' | 'stderr' = 'stdout', partial = false): string =>
  formatCriLine({ time: time(second), stream, partial, text: Buffer.from(text) }).toString()

async function read(options: Parameters<typeof readLog>[1] = {}): Promise<string> {
  let text = ''
  for await (const chunk of readLog(path, options)) text += chunk
  return text
}

describe('lines', () => {
  test('are the same after writing and parsing', () => {
    for (const text of ['', 'word', 'two words', ' leading', 'Ünïcode']) {
      const record = { time: '2024-01-01T00:00:00.123456789Z', stream: 'stderr' as const, partial: true, text: Buffer.from(text) }
      expect(parseCriLine(formatCriLine(record).subarray(0, -1))).toEqual(record)
    }
    expect(line('hello', 5)).toBe('2024-01-01T00:00:05.000000000Z stdout F hello\n')
  })

  test('that are none of ours are not taken for records', () => {
    for (const text of [
      '',
      'hello',
      '2024-01-01T00:00:00.000000000Z',
      '2024-01-01T00:00:00.000000000Z other F x',
      '2024-01-01T00:00:00.000000000Z stdout X x',
    ])
      expect(parseCriLine(Buffer.from(text))).toBeUndefined()
  })
})

describe('a view', () => {
  test('is the same however the bytes are cut', () => {
    const bytes = Buffer.from(line('one', 1) + line('par', 2, 'stdout', true) + line('two', 2, 'stderr') + line('t', 3).concat('stray\n'))
    for (let step = 1; step <= bytes.length; step += 7) {
      const view = new LogView({ timestamps: true })
      let shown = ''
      for (let at = 0; at < bytes.length; at += step) shown += view.push(bytes.subarray(at, at + step))
      expect(shown).toBe(`${time(1)} one\n${time(2)} par${time(2)} two\nt\nstray\n`)
    }
  })

  test('skips what is older than since, and the other stream', () => {
    const view = new LogView({ since: Date.UTC(2024, 0, 1, 0, 0, 2), stream: 'stderr' })
    expect(view.push(Buffer.from(line('a', 1, 'stderr') + line('b', 2) + line('c', 2, 'stderr'))).toString()).toBe('c\n')
  })

  test('ends at the limit, in the middle of a line', () => {
    const view = new LogView({ limitBytes: 4 })
    expect(view.push(Buffer.from(line('abc') + line('def'))).toString()).toBe('abc\n')
    expect(view.full).toBe(true)
  })
})

describe('reading', () => {
  test('a log that does not exist shows nothing', async () => {
    expect(await read()).toBe('')
  })

  test.for([0, 1, 2, 3, 5, 6, 7, 100])('shows the last %d lines over rotated files', async (tailLines) => {
    writeFileSync(`${path}.2`, line('0') + line('1'))
    writeFileSync(`${path}.1`, line('2') + line('3') + line('4'))
    writeFileSync(path, line('5'))
    const all = ['0', '1', '2', '3', '4', '5']
    expect((await read({ tailLines })).split('\n').slice(0, -1)).toEqual(tailLines === 0 ? [] : all.slice(-tailLines))
  })

  test('finds the tail of a log that is longer than one chunk', async () => {
    writeFileSync(path, Array.from({ length: 5000 }, (_, index) => line(`${index} ${'x'.repeat(50)}`)).join(''))
    const shown = (await read({ tailLines: 3000 })).split('\n').slice(0, -1)
    expect(shown.length).toBe(3000)
    expect(shown[0]?.split(' ')[0]).toBe('2000')
  })

  test('follows through rotations, even several at once, and a record that is written in two steps', async () => {
    writeFileSync(path, line('0'))
    const steps = [
      () => appendFileSync(path, line('1').slice(0, 20)),
      () => appendFileSync(path, line('1').slice(20)),
      () => {
        appendFileSync(path, line('2'))
        renameSync(path, `${path}.1`)
        writeFileSync(path, line('3'))
      },
      () => {
        appendFileSync(path, line('4'))
        renameSync(`${path}.1`, `${path}.2`)
        renameSync(path, `${path}.1`)
        writeFileSync(path, line('5'))
        renameSync(`${path}.2`, `${path}.3`)
        renameSync(`${path}.1`, `${path}.2`)
        renameSync(path, `${path}.1`)
        writeFileSync(path, line('6'))
      },
      () => appendFileSync(path, line('7')),
    ]
    const text = await read({ follow: true, ended: () => steps.length === 0, wait: async () => steps.shift()?.() })
    expect(text).toBe('0\n1\n2\n3\n4\n5\n6\n7\n')
  })

  test('waits for a log that has not begun', async () => {
    let waits = 0
    const wait = async (): Promise<void> => {
      if (++waits === 2) writeFileSync(path, line('late'))
    }
    expect(await read({ follow: true, ended: () => waits >= 3, wait })).toBe('late\n')
  })

  test('ends when it is aborted', async () => {
    writeFileSync(path, line('one'))
    const abort = new AbortController()
    const wait = async (signal: AbortSignal): Promise<void> => {
      abort.abort()
      signal.throwIfAborted()
    }
    expect(await read({ follow: true, ended: () => false, wait, signal: abort.signal })).toBe('one\n')
  })
})
