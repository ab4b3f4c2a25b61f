import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Providers } from '@continuo/core'
import type { VolumeDriver, VolumeObjects } from '@continuo/workload'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { VolumeManager } from '../../src/pod/volume-manager.ts'
import { pod } from './observation.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'continuo-volumes-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const objects = {} as VolumeObjects
const scratch: VolumeDriver = {
  refreshes: false,
  mount: async ({ directory }) => {
    await mkdir(directory, { recursive: true })
    return { hostPath: directory }
  },
  unmount: ({ directory }) => rm(directory, { recursive: true, force: true }),
}
/** Leaves its directory to whoever keeps what is in it. */
const keeping: VolumeDriver = { ...scratch, unmount: async () => {} }
const managerOf = (drivers: Readonly<Record<string, VolumeDriver>>) =>
  new VolumeManager({ get: (key: string) => drivers[key] } as Providers<VolumeDriver>, root)

const web = pod({
  volumes: [
    { name: 'a', emptyDir: {} },
    { name: 'b', hostPath: { path: '/srv' } },
  ],
})
const uid = web.metadata.uid ?? ''

it('leaves no directory of a pod whose volumes are unmounted', async () => {
  const manager = managerOf({ emptyDir: scratch, hostPath: scratch })
  await manager.mount(web, objects)
  expect(await manager.uids()).toEqual([uid])
  await manager.unmount(web)
  expect(await readdir(root)).toEqual([])
  await manager.unmount(web)
})

it('does not remove what a driver has left in its directory', async () => {
  const manager = managerOf({ emptyDir: scratch, hostPath: keeping })
  const paths = await manager.mount(web, objects)
  await writeFile(join(paths.get('b') ?? '', 'kept'), 'data')
  await manager.unmount(web)
  expect(await readdir(join(root, uid, 'volumes'))).toEqual(['b'])
  expect(await readdir(join(root, uid, 'volumes', 'b'))).toEqual(['kept'])
})

it('discards everything of a pod that nobody knows any more', async () => {
  const manager = managerOf({ emptyDir: scratch, hostPath: scratch })
  const paths = await manager.mount(web, objects)
  await writeFile(join(paths.get('a') ?? '', 'file'), 'data')
  await manager.discard(uid)
  await manager.discard(uid)
  expect(await manager.uids()).toEqual([])
})
