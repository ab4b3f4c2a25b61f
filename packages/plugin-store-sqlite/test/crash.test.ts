import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SqliteStore } from '../src/index.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Full: `STORE_KILLS=50`. */
const kills = Number(process.env.STORE_KILLS ?? 5)

interface Write {
  readonly value: string
  readonly revision: number
}

/** Lets a process write until it has acknowledged so many writes, and kills it in the middle of the next. */
async function writesUntilKilled(directory: string, count: number): Promise<ReadonlyMap<string, Write>> {
  const child = spawn(process.execPath, ['--conditions=@continuo/source', join(import.meta.dirname, 'acknowledge-writes.ts'), directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (output.length > count * 20) child.kill('SIGKILL')
  })
  await once(child, 'close')
  const acknowledged = new Map<string, Write>()
  for (const line of output.split('\n').slice(0, -1)) {
    const [key, value, revision] = line.split(' ') as [string, string, string]
    acknowledged.set(key, { value, revision: Number(revision) })
  }
  return acknowledged
}

it(
  `loses no acknowledged write and reuses no revision over ${kills} kills`,
  async () => {
    const directory = temporaryDirectory()
    const expected = new Map<string, Write>()
    let head = 1
    let acknowledgements = 0
    for (let round = 0; round < kills; round++) {
      const acknowledged = await writesUntilKilled(directory, 50 + ((round * 37) % 200))
      for (const [key, write] of acknowledged) {
        expect(write.revision).toBeGreaterThan(head)
        expected.set(key, write)
        acknowledgements++
      }
      const store = await SqliteStore.open(directory)
      const { entries, revision } = await store.list('')
      const found = new Map(entries.map((entry) => [entry.key, entry]))
      for (const [key, { value, revision }] of expected) {
        const entry = found.get(key)
        // A write that was on disk but not acknowledged when the process died may have followed.
        expect(entry?.modRevision).toBeGreaterThanOrEqual(revision)
        if (entry?.modRevision === revision) expect(Buffer.from(entry.value).toString()).toBe(value)
      }
      for (const entry of entries) expected.set(entry.key, { value: Buffer.from(entry.value).toString(), revision: entry.modRevision })
      head = revision
      await store.close()
    }
    expect(acknowledgements).toBeGreaterThan(kills * 20)
  },
  10_000 + kills * 3_000,
)
