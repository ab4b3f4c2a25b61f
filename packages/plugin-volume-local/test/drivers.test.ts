import { mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { VolumeObjects, VolumeRequest } from '@continuo/workload'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configMap, emptyDir, hostPath, projected, secret } from '../src/drivers.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'volumes-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const data = new Map<string, Map<string, Uint8Array>>()
const put = (name: string, values: Record<string, string>) =>
  data.set(name, new Map(Object.entries(values).map(([key, value]) => [key, new TextEncoder().encode(value)])))

const objects: VolumeObjects = {
  configMap: async (_, name) => data.get(`cm/${name}`),
  secret: async (_, name) => data.get(`secret/${name}`),
  token: async ({ audience }) => `token for ${audience}`,
  field: (ref) => `<${ref.fieldPath}>`,
}

const request = (source: Record<string, unknown>): VolumeRequest => ({
  podUid: 'u1',
  namespace: 'default',
  podName: 'web',
  volumeName: 'v',
  source,
  directory: join(root, 'v'),
})
const text = (path: string) => readFile(join(root, 'v', path), 'utf8')

describe('configMap', () => {
  it('shows a file for each key with the default mode', async () => {
    put('cm/settings', { colour: 'blue', size: 'big' })
    await configMap.mount(request({ name: 'settings', defaultMode: 0o600 }), objects)
    expect(await text('colour')).toBe('blue')
    expect((await stat(join(root, 'v', 'size'))).mode & 0o777).toBe(0o600)
  })

  it('swaps the whole set at once when the object changes, and leaves it when it does not', async () => {
    put('cm/settings', { colour: 'blue', size: 'big' })
    await configMap.mount(request({ name: 'settings' }), objects)
    const first = await readlink(join(root, 'v', '..data'))
    await configMap.mount(request({ name: 'settings' }), objects)
    expect(await readlink(join(root, 'v', '..data'))).toBe(first)
    put('cm/settings', { colour: 'red' })
    await configMap.mount(request({ name: 'settings' }), objects)
    expect(await readlink(join(root, 'v', '..data'))).not.toBe(first)
    expect(await text('colour')).toBe('red')
    expect((await readdir(join(root, 'v'))).filter((name) => !name.startsWith('..'))).toEqual(['colour'])
  })

  it('puts listed keys at their paths', async () => {
    put('cm/settings', { colour: 'blue', size: 'big' })
    await configMap.mount(request({ name: 'settings', items: [{ key: 'size', path: 'deep/er/size.txt', mode: 0o400 }] }), objects)
    expect(await text('deep/er/size.txt')).toBe('big')
    expect(await readdir(join(root, 'v', 'deep'))).toEqual(['er'])
  })

  it('waits for an object that is not there, unless it is optional', async () => {
    await expect(configMap.mount(request({ name: 'gone' }), objects)).rejects.toMatchObject({
      code: 'VOLUME_NOT_READY',
      message: 'configmap "gone" not found',
    })
    await configMap.mount(request({ name: 'gone', optional: true }), objects)
    expect((await readdir(join(root, 'v'))).filter((name) => !name.startsWith('..'))).toEqual([])
  })

  it.each(['../escape', '/etc/passwd', 'a/../../b', ''])('refuses the path %j', async (path) => {
    put('cm/settings', { colour: 'blue' })
    await expect(configMap.mount(request({ name: 'settings', items: [{ key: 'colour', path }] }), objects)).rejects.toMatchObject({
      code: 'VOLUME_INVALID_PATH',
    })
  })
})

describe('projected', () => {
  it('joins sources, a later one winning', async () => {
    put('cm/settings', { colour: 'blue' })
    put('secret/keys', { colour: 'secret' })
    const sources = [
      { configMap: { name: 'settings' } },
      { secret: { name: 'keys' } },
      { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
      { serviceAccountToken: { path: 'token', audience: 'api' } },
    ]
    await projected.mount(request({ sources }), objects)
    expect(await Promise.all([text('colour'), text('name'), text('token')])).toEqual(['secret', '<metadata.name>', 'token for api'])
    // A container that is not root reads its token, too.
    expect((await stat(join(root, 'v', 'token'))).mode & 0o777).toBe(0o644)
  })
})

describe('secret, emptyDir and hostPath', () => {
  it('mounts a secret by its secretName', async () => {
    put('secret/keys', { token: 's' })
    await secret.mount(request({ secretName: 'keys' }), objects)
    expect(await text('token')).toBe('s')
  })

  it('lets any user write to an emptyDir, whatever the mask of the agent, and its group keep what is made there', async () => {
    await emptyDir.mount(request({}), objects)
    expect((await stat(join(root, 'v'))).mode & 0o7777).toBe(0o777)
    await emptyDir.mount({ ...request({}), fsGroup: 2000 }, objects)
    expect((await stat(join(root, 'v'))).mode & 0o7777).toBe(0o2777)
    if (process.getuid?.() === 0) expect((await stat(join(root, 'v'))).gid).toBe(2000)
  })

  it('keeps an emptyDir across mounts and removes it with the pod', async () => {
    await emptyDir.mount(request({}), objects)
    await writeFile(join(root, 'v', 'file'), 'kept')
    await emptyDir.mount(request({}), objects)
    expect(await text('file')).toBe('kept')
    await emptyDir.unmount(request({}))
    await expect(stat(join(root, 'v'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('removes a volume without following links out of it', async () => {
    await writeFile(join(root, 'precious'), 'x')
    await emptyDir.mount(request({}), objects)
    await symlink(join(root, 'precious'), join(root, 'v', 'link'))
    await emptyDir.unmount(request({}))
    expect(await readFile(join(root, 'precious'), 'utf8')).toBe('x')
  })

  it('checks the type of a host path and never removes it', async () => {
    const path = join(root, 'made')
    await expect(hostPath.mount(request({ path, type: 'Directory' }), objects)).rejects.toMatchObject({ code: 'VOLUME_HOST_PATH_TYPE' })
    expect(await hostPath.mount(request({ path, type: 'DirectoryOrCreate' }), objects)).toEqual({ hostPath: path })
    await hostPath.unmount(request({ path }))
    expect((await stat(path)).isDirectory()).toBe(true)
  })
})
