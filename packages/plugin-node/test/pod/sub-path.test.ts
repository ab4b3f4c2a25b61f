import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { prepareSubPath, subPathOf } from '../../src/pod/sub-path.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'continuo-subpath-'))
  await mkdir(join(root, 'volume'))
})
afterEach(() => rm(root, { recursive: true, force: true }))
const volume = () => join(root, 'volume')
const refused = { code: 'NODE_CONTAINER_CONFIG' }

it.each(['../other', '/etc', 'a/../../b', 'a\0b'])('refuses %j', (path) => {
  expect(() => subPathOf('/volume', path)).toThrow(expect.objectContaining(refused))
})

it('makes missing directories and leaves files alone', async () => {
  await prepareSubPath(volume(), subPathOf(volume(), 'a/b'))
  expect((await stat(join(volume(), 'a/b'))).isDirectory()).toBe(true)
  await writeFile(join(volume(), 'file'), 'x')
  await prepareSubPath(volume(), subPathOf(volume(), 'file'))
  expect((await stat(join(volume(), 'file'))).isFile()).toBe(true)
})

it('follows links within the volume and refuses those that leave it', async () => {
  await mkdir(join(volume(), 'data'))
  await symlink('data', join(volume(), 'inside'))
  await prepareSubPath(volume(), subPathOf(volume(), 'inside/new'))
  expect((await stat(join(volume(), 'data/new'))).isDirectory()).toBe(true)
  await mkdir(join(root, 'secret'))
  await symlink('../secret', join(volume(), 'outside'))
  await expect(prepareSubPath(volume(), subPathOf(volume(), 'outside'))).rejects.toMatchObject(refused)
  await expect(prepareSubPath(volume(), subPathOf(volume(), 'outside/new'))).rejects.toMatchObject(refused)
  await expect(stat(join(root, 'secret/new'))).rejects.toMatchObject({ code: 'ENOENT' })
})
