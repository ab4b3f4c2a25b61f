import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeAtomically } from '../../src/snapshot/write-atomically.ts'

describe('writeAtomically', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'continuo-atomically-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  async function* parts(fail = false) {
    yield 'one\n'
    yield 'zwei: ü\n'
    if (fail) throw new RangeError('the store went away')
  }

  it('writes what it is given, for its owner alone', async () => {
    const path = join(directory, 'snapshot')
    expect(await writeAtomically(path, parts())).toBe(13)
    expect(readFileSync(path, 'utf8')).toBe('one\nzwei: ü\n')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory)).toEqual(['snapshot'])
  })

  it('leaves nothing, or the file that was there, when it fails or is interrupted', async () => {
    const path = join(directory, 'snapshot')
    await expect(writeAtomically(path, parts(true))).rejects.toThrow('went away')
    await expect(writeAtomically(path, parts(), AbortSignal.abort())).rejects.toThrow()
    expect(readdirSync(directory)).toEqual([])
    writeFileSync(path, 'the one before')
    await expect(writeAtomically(path, parts(true))).rejects.toThrow('went away')
    expect(readdirSync(directory)).toEqual(['snapshot'])
    expect(readFileSync(path, 'utf8')).toBe('the one before')
  })
})
