import { writeSync } from 'node:fs'
import { SqliteStore } from '../src/index.ts'

// Writes to the store in a directory without end, from 8 writers at once, and prints each write once it was acknowledged.
const store = await SqliteStore.open(process.argv[2] ?? '')

async function writer(name: number): Promise<void> {
  for (let i = 0; ; i++) {
    const key = `/${name}/${i % 50}`
    const value = `${process.pid}-${i}`
    const result = await store.commit({ conditions: [], writes: [{ type: 'put', key, value: Buffer.from(value) }] })
    writeSync(1, `${key} ${value} ${result.revision}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, (_, name) => writer(name)))
