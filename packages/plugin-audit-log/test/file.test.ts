import { mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Counter, silentLog, systemClock } from '@continuo/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { LineQueue } from '../src/file/line-queue.ts'
import { LogFile } from '../src/file/log-file.ts'

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'access-audit-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}
const counter = (): Counter & { value: number } => ({
  value: 0,
  inc() {
    this.value++
  },
})
const day = 86_400_000

describe('log file', () => {
  it('is put aside when it is full, and keeps the newest that are young enough', async () => {
    const dir = await directory()
    const file = new LogFile(join(dir, 'audit.log'), { maxBytes: 10, maxBackups: 2, maxAgeMs: 3 * day })
    const start = Date.parse('2026-01-01T00:00:00Z')
    for (let at = 0; at < 5; at++) await file.append(`line-${at}\n`, start + at * day)
    const names = (await readdir(dir)).sort()
    expect(names).toEqual(['audit-2026-01-04T00-00-00.000Z.log', 'audit-2026-01-05T00-00-00.000Z.log', 'audit.log'])
    expect(await readFile(join(dir, 'audit.log'), 'utf8')).toBe('line-4\n')
    expect((await stat(join(dir, 'audit.log'))).mode & 0o777).toBe(0o600)
    await file.append('line-5\n', start + 30 * day)
    expect((await readdir(dir)).length).toBe(2)
  })

  it.each([
    ['a line that a killed process left unfinished', 'whole\n{"torn', 'whole\nnext\n'],
    ['nothing but such a line, longer than it reads at once', 'x'.repeat(200_000), 'next\n'],
    ['whole lines', 'one\ntwo\n', 'one\ntwo\nnext\n'],
  ])('goes on behind %s', async (_what, before, after) => {
    const path = join(await directory(), 'audit.log')
    await writeFile(path, before)
    await new LogFile(path, { maxBytes: 1_000_000, maxBackups: 0, maxAgeMs: 0 }).append('next\n', 0)
    expect(await readFile(path, 'utf8')).toBe(after)
  })

  it('takes back what was written of a batch that failed', async () => {
    const path = join(await directory(), 'audit.log')
    const file = new LogFile(path, { maxBytes: 1_000, maxBackups: 0, maxAgeMs: 0 })
    await file.append('one\n', 0)
    await rename(path, `${path}.away`)
    await mkdir(path)
    await expect(file.append('two\nthree\n', 0)).rejects.toThrow()
    await rmdir(path)
    await writeFile(path, `${await readFile(`${path}.away`, 'utf8')}two\nthr`)
    await file.append('two\nthree\n', 0)
    // The disk had taken the second line whole before it failed: told twice, but never torn.
    expect(await readFile(path, 'utf8')).toBe('one\ntwo\ntwo\nthree\n')
  })
})

describe('line queue', () => {
  it('drops and counts at its bound while the disk fails, tells it once, and writes what waits when the disk recovers', async () => {
    const dir = await directory()
    const place = join(dir, 'in', 'audit.log')
    await writeFile(join(dir, 'in'), 'a file where the directory should be')
    const file = new LogFile(place, { maxBytes: 1_000, maxBackups: 0, maxAgeMs: 0 })
    const [dropped, errors] = [counter(), counter()]
    let told = 0
    const log = { ...silentLog, error: () => void told++ }
    const queue = new LineQueue({
      maxLines: 2,
      maxLength: 1_000,
      clock: systemClock,
      log,
      dropped,
      errors,
      write: (text) => file.append(text, 0),
    })
    for (const line of ['one', 'two', 'three']) queue.push(line)
    expect(queue.isFull).toBe(true)
    await vi.waitFor(() => expect(errors.value).toBeGreaterThan(1), { timeout: 5_000 })
    expect([dropped.value, told]).toEqual([1, 1])
    await rm(join(dir, 'in'))
    await mkdir(join(dir, 'in'))
    await vi.waitFor(async () => expect(await readFile(place, 'utf8')).toBe('one\ntwo\n'), { timeout: 5_000 })
    queue.push('four')
    await queue.close()
    expect(await readFile(place, 'utf8')).toBe('one\ntwo\nfour\n')
  })
})
