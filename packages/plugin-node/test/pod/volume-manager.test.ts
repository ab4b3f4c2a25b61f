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
  await manager.unmount(uid)
  expect(await readdir(root)).toEqual([])
  await manager.unmount(uid)
})

it('does not remove what a driver has left in its directory', async () => {
  const manager = managerOf({ emptyDir: scratch, hostPath: keeping })
  const paths = await manager.mount(web, objects)
  await writeFile(join(paths.get('b') ?? '', 'kept'), 'data')
  await manager.unmount(uid)
  expect(await readdir(join(root, uid, 'volumes'))).toEqual(['b'])
  expect(await readdir(join(root, uid, 'volumes', 'b'))).toEqual(['kept'])
})

it('unmounts with the drivers what another agent has mounted, knowing nothing but the uid', async () => {
  const unmounted: string[] = []
  const telling: VolumeDriver = {
    ...scratch,
    unmount: async ({ volumeName, namespace, podName, directory }) => {
      unmounted.push(`${namespace}/${podName}/${volumeName}`)
      await rm(directory, { recursive: true, force: true })
    },
  }
  const paths = await managerOf({ emptyDir: scratch, hostPath: scratch }).mount(web, objects)
  await writeFile(join(paths.get('a') ?? '', 'file'), 'data')
  const next = managerOf({ emptyDir: telling, hostPath: telling })
  await next.unmount(uid)
  expect(unmounted).toEqual(['default/web/a', 'default/web/b'])
  expect(await next.uids()).toEqual([])
  await next.unmount(uid)
})

it('removes the directory of a pod that left no record', async () => {
  await mkdir(join(root, 'old', 'volumes', 'a'), { recursive: true })
  const manager = managerOf({ emptyDir: scratch })
  await manager.unmount('old')
  expect(await manager.uids()).toEqual([])
})

it('says which type of volume nobody can mount', async () => {
  await expect(managerOf({ emptyDir: scratch }).mount(web, objects)).rejects.toMatchObject({
    code: 'NODE_VOLUME',
    message: 'MountVolume.SetUp failed for volume "b": no driver for hostPath is composed into this node',
  })
})
