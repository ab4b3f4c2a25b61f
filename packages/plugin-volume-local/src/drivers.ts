import { chmod, chown, mkdir, open, rm, stat } from 'node:fs/promises'
import { ContinuoError } from '@continuo/core'
import type { VolumeDriver, VolumeObjects, VolumeRequest } from '@continuo/workload'
import { writeAtomically } from './atomic-writer.ts'
import { checkPath, type KeyToPath, keyedFiles, notReady, type VolumeFile } from './payload.ts'

const utf8 = new TextEncoder()

const removeDirectory: VolumeDriver['unmount'] = (request) => rm(request.directory, { recursive: true, force: true })

/** A driver whose content is computed from objects. */
const files = (compute: (request: VolumeRequest, objects: VolumeObjects) => Promise<readonly VolumeFile[]>): VolumeDriver => ({
  refreshes: true,
  async mount(request, objects) {
    await writeAtomically(request.directory, await compute(request, objects))
    return { hostPath: request.directory }
  },
  unmount: removeDirectory,
})

/** `emptyDir`: a directory that lives as long as the pod. `sizeLimit` and `medium: Memory` need a runtime with mounts of its own. */
export const emptyDir: VolumeDriver = {
  refreshes: false,
  async mount(request) {
    const { directory, fsGroup } = request
    await mkdir(directory, { recursive: true })
    // Whoever the containers run as may write; the mode of mkdir would be cut by the agent's mask. A group of the pod gets what is made in it.
    if (fsGroup !== undefined && process.getuid?.() === 0) await chown(directory, 0, fsGroup)
    await chmod(directory, fsGroup === undefined ? 0o777 : 0o2777)
    return { hostPath: directory }
  },
  unmount: removeDirectory,
}

interface Keyed {
  readonly name?: string
  readonly secretName?: string
  readonly items?: readonly KeyToPath[]
  readonly optional?: boolean
  readonly defaultMode?: number
}

const configMapFiles = async (request: VolumeRequest, objects: VolumeObjects, source: Keyed, defaultMode: number): Promise<VolumeFile[]> =>
  keyedFiles(`configmap "${source.name}"`, await objects.configMap(request.namespace, source.name ?? ''), { ...source, defaultMode })

const secretFiles = async (
  request: VolumeRequest,
  objects: VolumeObjects,
  name: string,
  source: Keyed,
  defaultMode: number,
): Promise<VolumeFile[]> => keyedFiles(`secret "${name}"`, await objects.secret(request.namespace, name), { ...source, defaultMode })

/** `configMap`: one file for each key, following the object. */
export const configMap = files((request, objects) =>
  configMapFiles(request, objects, request.source as Keyed, (request.source as Keyed).defaultMode ?? 0o644),
)

/** `secret`: one file for each key, following the object. */
export const secret = files((request, objects) => {
  const source = request.source as Keyed
  return secretFiles(request, objects, source.secretName ?? '', source, source.defaultMode ?? 0o644)
})

interface DownwardItem {
  readonly path: string
  readonly mode?: number
  readonly fieldRef?: Readonly<Record<string, unknown>>
  readonly resourceFieldRef?: Readonly<Record<string, unknown>>
}

const downwardFiles = (objects: VolumeObjects, items: readonly DownwardItem[], defaultMode: number): VolumeFile[] =>
  items.map((item) => ({
    path: checkPath(item.path),
    data: utf8.encode(objects.field(item.fieldRef ?? item.resourceFieldRef ?? {})),
    mode: item.mode ?? defaultMode,
  }))

/** `downwardAPI`: fields of the pod as files. */
export const downwardApi = files(async (request, objects) => {
  const source = request.source as { readonly items?: readonly DownwardItem[]; readonly defaultMode?: number }
  return downwardFiles(objects, source.items ?? [], source.defaultMode ?? 0o644)
})

interface Projection {
  readonly configMap?: Keyed
  readonly secret?: Keyed
  readonly downwardAPI?: { readonly items?: readonly DownwardItem[] }
  readonly serviceAccountToken?: { readonly path: string; readonly audience?: string; readonly expirationSeconds?: number }
}

/** `projected`: several sources in one directory; a later source wins over an earlier one with the same path. */
export const projected = files(async (request, objects) => {
  const source = request.source as { readonly sources?: readonly Projection[]; readonly defaultMode?: number }
  const mode = source.defaultMode ?? 0o644
  const byPath = new Map<string, VolumeFile>()
  for (const projection of source.sources ?? []) {
    for (const file of await project(request, objects, projection, mode)) byPath.set(file.path, file)
  }
  return [...byPath.values()]
})

async function project(
  request: VolumeRequest,
  objects: VolumeObjects,
  projection: Projection,
  mode: number,
): Promise<readonly VolumeFile[]> {
  if (projection.configMap !== undefined) return configMapFiles(request, objects, projection.configMap, mode)
  if (projection.secret !== undefined) return secretFiles(request, objects, projection.secret.name ?? '', projection.secret, mode)
  if (projection.downwardAPI !== undefined) return downwardFiles(objects, projection.downwardAPI.items ?? [], mode)
  if (projection.serviceAccountToken !== undefined) {
    const { path, audience, expirationSeconds } = projection.serviceAccountToken
    return [
      {
        path: checkPath(path),
        data: utf8.encode(await objects.token({ audience, expirationSeconds: expirationSeconds ?? 3_600 })),
        // Containers of any user read their own; others do not get as far as the pod's directory.
        mode,
      },
    ]
  }
  throw notReady(`projection of ${Object.keys(projection).join(', ')} is not supported`)
}

type HostPathType = '' | 'DirectoryOrCreate' | 'Directory' | 'FileOrCreate' | 'File' | 'Socket' | 'CharDevice' | 'BlockDevice'

/** `hostPath`: a path of the host, checked against its `type`. Never removed. */
export const hostPath: VolumeDriver = {
  refreshes: false,
  async mount(request) {
    const { path, type = '' } = request.source as { readonly path: string; readonly type?: HostPathType }
    if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 })
    if (type === 'FileOrCreate') await (await open(path, 'a', 0o644)).close()
    await checkType(path, type)
    return { hostPath: path }
  },
  unmount: () => Promise.resolve(),
}

async function checkType(path: string, type: HostPathType): Promise<void> {
  if (type === '') return
  const found = await stat(path).catch(() => undefined)
  const fits =
    found !== undefined &&
    {
      DirectoryOrCreate: () => found.isDirectory(),
      Directory: () => found.isDirectory(),
      FileOrCreate: () => found.isFile(),
      File: () => found.isFile(),
      Socket: () => found.isSocket(),
      CharDevice: () => found.isCharacterDevice(),
      BlockDevice: () => found.isBlockDevice(),
    }[type]()
  if (!fits) throw new ContinuoError('VOLUME_HOST_PATH_TYPE', `hostPath type check failed: ${path} is not a ${type}`)
}
