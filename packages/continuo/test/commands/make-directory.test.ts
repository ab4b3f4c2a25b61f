import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeDirectory } from '../../src/commands/make-directory.ts'

it('makes parents and is content with what is there', async () => {
  const root = await mkdtemp(join(tmpdir(), 'make-'))
  await makeDirectory(join(root, 'a', 'b'))
  await makeDirectory(join(root, 'a', 'b'))
  expect((await stat(join(root, 'a', 'b'))).isDirectory()).toBe(true)
  await rm(root, { recursive: true })
})

it('says what is in the way', async () => {
  const root = await mkdtemp(join(tmpdir(), 'make-'))
  await writeFile(join(root, 'file'), '')
  await expect(makeDirectory(join(root, 'file'))).rejects.toMatchObject({
    code: 'DIRECTORY',
    message: expect.stringContaining('a file is in its place'),
  })
  await expect(makeDirectory(join(root, 'file', 'below'))).rejects.toMatchObject({ code: 'DIRECTORY' })
  await rm(root, { recursive: true })
})

it('ends where no directory can be made', async () => {
  await expect(makeDirectory('/proc/continuo/data')).rejects.toMatchObject({ code: 'DIRECTORY' })
})
